package controller

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const snapshotKind = "VolumeSnapshot"

var snapshotAPI = schema.GroupVersion{Group: "snapshot.storage.k8s.io", Version: "v1"}

// snapshot gives the id of the EC2 snapshot from which a claim is to be filled, empty for a claim without one. The
// VolumeSnapshot and its content must be bound, which the snapshot controller does, or the user who made them.
func (p *provisioner) snapshot(ctx context.Context, claim *corev1.PersistentVolumeClaim) (string, error) {
	source := claim.Spec.DataSource
	if source == nil || source.Kind != snapshotKind {
		return "", nil
	}
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("error getting handle for DataSource Type %s by Name %s: %w", snapshotKind, source.Name, err)
	}
	found, err := p.snapshots.Resource(snapshotAPI.WithResource("volumesnapshots")).Namespace(claim.Namespace).Get(ctx, source.Name, metav1.GetOptions{})
	if err != nil {
		return fail(fmt.Errorf("error getting snapshot %s from api server: %w", source.Name, err))
	}
	bound := statusField(found, "boundVolumeSnapshotContentName")
	if bound == "" {
		return fail(fmt.Errorf("snapshot %s not bound", source.Name))
	}
	content, err := p.snapshots.Resource(snapshotAPI.WithResource("volumesnapshotcontents")).Get(ctx, bound, metav1.GetOptions{})
	if err != nil {
		return fail(fmt.Errorf("error getting snapshotcontent %s for snapshot %s from api server: %w", bound, source.Name, err))
	}
	handle := statusField(content, "snapshotHandle")
	if handle == "" {
		return fail(fmt.Errorf("snapshot handle %s is not available", bound))
	}
	return handle, nil
}

func statusField(object *unstructured.Unstructured, name string) string {
	value, _, _ := unstructured.NestedString(object.Object, "status", name)
	return value
}
