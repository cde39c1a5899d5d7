package controller

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic/fake"
)

func snapshotObject(kind, namespace, name string, status map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"status": status}}
	object.SetAPIVersion(snapshotAPI.String())
	object.SetKind(kind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

func TestClaimOfASnapshotNamesTheSnapshotOfEC2(t *testing.T) {
	for _, one := range []struct {
		name         string
		source       *corev1.TypedLocalObjectReference
		want, wanted string
	}{
		{"no source", nil, "", ""},
		{"another claim", &corev1.TypedLocalObjectReference{Kind: "PersistentVolumeClaim", Name: "ready"}, "", ""},
		{"bound", &corev1.TypedLocalObjectReference{Kind: "VolumeSnapshot", Name: "ready"}, "snap-1", ""},
		{"not bound", &corev1.TypedLocalObjectReference{Kind: "VolumeSnapshot", Name: "fresh"}, "", "snapshot fresh not bound"},
		{"missing", &corev1.TypedLocalObjectReference{Kind: "VolumeSnapshot", Name: "gone"}, "", `volumesnapshots.snapshot.storage.k8s.io "gone" not found`},
		{"not taken", &corev1.TypedLocalObjectReference{Kind: "VolumeSnapshot", Name: "early"}, "", "snapshot handle content-2 is not available"},
	} {
		objects := fake.NewSimpleDynamicClient(
			runtime.NewScheme(),
			snapshotObject("VolumeSnapshot", "rocketmq", "ready", map[string]any{"boundVolumeSnapshotContentName": "content-1"}),
			snapshotObject("VolumeSnapshot", "rocketmq", "early", map[string]any{"boundVolumeSnapshotContentName": "content-2"}),
			snapshotObject("VolumeSnapshot", "rocketmq", "fresh", map[string]any{}),
			snapshotObject("VolumeSnapshotContent", "", "content-1", map[string]any{"snapshotHandle": "snap-1"}),
			snapshotObject("VolumeSnapshotContent", "", "content-2", map[string]any{}),
		)
		asked := claim("1Gi")
		asked.Spec.DataSource = one.source
		got, err := (&provisioner{snapshots: objects}).snapshot(t.Context(), asked)
		if got != one.want || (one.wanted == "") != (err == nil) || (err != nil && !strings.HasSuffix(err.Error(), one.wanted)) {
			t.Errorf("%s: got %q, %v", one.name, got, err)
		}
	}
}
