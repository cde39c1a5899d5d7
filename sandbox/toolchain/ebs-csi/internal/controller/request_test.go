package controller

import (
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/cloud"
)

func claim(size string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "rocketmq", Name: "store-broker-0"},
		Spec: corev1.PersistentVolumeClaimSpec{Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)},
		}},
	}
}

func TestVolumeTagsAreThoseOfTheRealDriver(t *testing.T) {
	got := volumeTags("pvc-1", claim("1Gi"), tagging{clusterID: "prod", extra: map[string]string{"team": "messaging"}})
	want := map[string]string{
		"ebs.csi.aws.com/cluster":                 "true",
		"ebs.csi.aws.com/cluster-name":            "prod",
		"CSIVolumeName":                           "pvc-1",
		"kubernetes.io/created-for/pvc/name":      "store-broker-0",
		"kubernetes.io/created-for/pvc/namespace": "rocketmq",
		"kubernetes.io/created-for/pv/name":       "pvc-1",
		"kubernetes.io/cluster/prod":              "owned",
		"KubernetesCluster":                       "prod",
		"Name":                                    "prod-dynamic-pvc-1",
		"team":                                    "messaging",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestSizesAreRoundedUpToWholeGibibytes(t *testing.T) {
	for bytes, want := range map[int64]int32{0: 1, 1: 1, cloud.GiB: 1, cloud.GiB + 1: 2, 100 * cloud.GiB: 100} {
		if got := gibibytes(bytes); got != want {
			t.Errorf("%d bytes are %d GiB, want %d", bytes, got, want)
		}
	}
}

func TestClassParametersReachTheRequest(t *testing.T) {
	got, err := volumeRequest("pvc-1", "ap-southeast-1b", claim("1500Mi"), map[string]string{
		"type": "gp3", "iops": "4000", "throughput": "250", "encrypted": "true", "kmsKeyId": "arn:aws:kms:key",
		"csi.storage.k8s.io/fstype": "xfs", "tagSpecification_1": "team=messaging=eu",
	}, tagging{})
	if err != nil {
		t.Fatal(err)
	}
	if got.SizeGiB != 2 || got.Type != "gp3" || got.IOPS != 4000 || got.Throughput != 250 || !got.Encrypted || got.KmsKeyID != "arn:aws:kms:key" {
		t.Errorf("got %+v", got)
	}
	if got.Tags["team"] != "messaging=eu" || got.Zone != "ap-southeast-1b" {
		t.Errorf("got %+v", got)
	}
}

func TestWithoutATypeTheVolumeIsGP3(t *testing.T) {
	if got, err := volumeRequest("pvc-1", "a", claim("1Gi"), nil, tagging{}); err != nil || got.Type != "gp3" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestUnknownAndBadParametersAreRefusedByName(t *testing.T) {
	for key, value := range map[string]string{"typo": "gp2", "iops": "many", "tagSpecification_1": "no-equals-sign"} {
		_, err := volumeRequest("pvc-1", "a", claim("1Gi"), map[string]string{key: value}, tagging{})
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "InvalidArgument") {
			t.Errorf("%s=%s gave %v", key, value, err)
		}
	}
}

func TestExtraTags(t *testing.T) {
	got, err := parseTags("a=1,b=x=y")
	if err != nil || !maps.Equal(got, map[string]string{"a": "1", "b": "x=y"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := parseTags("a"); err == nil {
		t.Error("a tag without a value was accepted")
	}
}
