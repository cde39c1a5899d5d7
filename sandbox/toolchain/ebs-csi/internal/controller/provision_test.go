package controller

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	provisioning "sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/cloud"
)

// silentEC2 answers no request.
type silentEC2 struct{ cloud.EC2 }

func (silentEC2) CreateVolume(ctx context.Context, _ *ec2.CreateVolumeInput, _ ...func(*ec2.Options)) (*ec2.CreateVolumeOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestProvisioningWithoutAnAnswerEndsAsThatOfTheSidecar(t *testing.T) {
	zones := corev1.TopologySelectorTerm{MatchLabelExpressions: []corev1.TopologySelectorLabelRequirement{{Key: TopologyKey, Values: []string{"a"}}}}
	class := &storagev1.StorageClass{
		ObjectMeta:        metav1.ObjectMeta{Name: "gp3"},
		Provisioner:       DriverName,
		AllowedTopologies: []corev1.TopologySelectorTerm{zones},
	}
	silent := &provisioner{cloud: cloud.With(silentEC2{}), timeout: time.Millisecond}
	_, state, err := silent.Provision(t.Context(), provisioning.ProvisionOptions{StorageClass: class, PVName: "pvc-1", PVC: claim("1Gi")})
	want := `failed to provision volume with StorageClass "gp3": rpc error: code = DeadlineExceeded desc = context deadline exceeded`
	if err == nil || !strings.HasSuffix(err.Error(), want) || state != provisioning.ProvisioningInBackground {
		t.Errorf("got  %v, %v\nwant %s", state, err, want)
	}
}
