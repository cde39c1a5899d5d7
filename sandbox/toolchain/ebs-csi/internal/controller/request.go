package controller

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/cloud"
)

const (
	defaultVolumeType = "gp3"
	defaultFSType     = "ext4"
	fsTypeParameter   = "csi.storage.k8s.io/fstype"
	acceptedKeys      = "type, iops, throughput, encrypted, kmsKeyId, csi.storage.k8s.io/fstype and tagSpecification_N"
)

// tagging is what the driver adds to the tags of every volume.
type tagging struct {
	clusterID string
	extra     map[string]string
}

// volumeRequest turns class parameters and claim into the EC2 request. The class is already translated to CSI's names.
func volumeRequest(name, zone string, claim *corev1.PersistentVolumeClaim, parameters map[string]string, tags tagging) (cloud.VolumeRequest, error) {
	requested := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	request := cloud.VolumeRequest{Name: name, SizeGiB: gibibytes(requested.Value()), Type: defaultVolumeType, Zone: zone}
	request.Tags = volumeTags(name, claim, tags)
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		if err := applyParameter(&request, key, parameters[key]); err != nil {
			return cloud.VolumeRequest{}, err
		}
	}
	return request, nil
}

func applyParameter(request *cloud.VolumeRequest, key, value string) error {
	var err error
	switch lowered := strings.ToLower(key); {
	case lowered == "type":
		request.Type = value
	case lowered == "iops":
		request.IOPS, err = number(key, value)
	case lowered == "throughput":
		request.Throughput, err = number(key, value)
	case lowered == "encrypted":
		request.Encrypted = value == "true"
	case lowered == "kmskeyid":
		request.KmsKeyID = value
	case lowered == fsTypeParameter:
		// of the file system, not of the volume
	case strings.HasPrefix(lowered, "tagspecification"):
		tag, content, found := strings.Cut(value, "=")
		if !found || tag == "" {
			return status.Errorf(codes.InvalidArgument, "Could not parse tag %q of parameter %s: it is not key=value", value, key)
		}
		request.Tags[tag] = content
	default:
		return status.Errorf(codes.InvalidArgument, "Invalid parameter key %s for CreateVolume; accepted are %s", key, acceptedKeys)
	}
	return err
}

func number(key, value string) (int32, error) {
	parsed, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return 0, status.Errorf(codes.InvalidArgument, "Could not parse parameter %s: %q is not a whole number", key, value)
	}
	return int32(parsed), nil
}

// volumeTags are the tags of the real driver: IAM policies, backups and bills go by them.
func volumeTags(name string, claim *corev1.PersistentVolumeClaim, tags tagging) map[string]string {
	all := map[string]string{
		"ebs.csi.aws.com/cluster":                 "true",
		"CSIVolumeName":                           name,
		"kubernetes.io/created-for/pvc/name":      claim.Name,
		"kubernetes.io/created-for/pvc/namespace": claim.Namespace,
		"kubernetes.io/created-for/pv/name":       name,
	}
	if tags.clusterID != "" {
		all["kubernetes.io/cluster/"+tags.clusterID] = "owned"
		all["ebs.csi.aws.com/cluster-name"] = tags.clusterID
		all["KubernetesCluster"] = tags.clusterID
		all["Name"] = tags.clusterID + "-dynamic-" + name
	}
	maps.Copy(all, tags.extra)
	return all
}

// gibibytes rounds bytes up to what EBS sells; the smallest volume has 1 GiB.
func gibibytes(bytes int64) int32 {
	return int32(max(1, (bytes+cloud.GiB-1)/cloud.GiB))
}

func parseTags(text string) (map[string]string, error) {
	tags := map[string]string{}
	for _, pair := range strings.FieldsFunc(text, func(char rune) bool { return char == ',' }) {
		key, value, found := strings.Cut(pair, "=")
		if !found || key == "" {
			return nil, fmt.Errorf("--extra-tags has %q; accepted is key=value,key=value", pair)
		}
		tags[key] = value
	}
	return tags, nil
}
