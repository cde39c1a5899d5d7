package controller

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestWhoHasToGrowAClaim(t *testing.T) {
	for _, one := range []struct {
		name                string
		wanted, had, volume string
		state               corev1.ClaimResourceStatus
		want                bool
	}{
		{"nothing asked for", "20Gi", "20Gi", "20Gi", "", false},
		{"more asked for", "30Gi", "20Gi", "20Gi", "", true},
		{"the volume grown, the claim not told", "30Gi", "20Gi", "30Gi", "", true},
		{"the kubelet is to grow the file system", "30Gi", "20Gi", "30Gi", corev1.PersistentVolumeClaimNodeResizePending, false},
		{"the kubelet grows the file system", "30Gi", "20Gi", "30Gi", corev1.PersistentVolumeClaimNodeResizeInProgress, false},
		{"still more asked for meanwhile", "40Gi", "20Gi", "30Gi", corev1.PersistentVolumeClaimNodeResizeInProgress, true},
		{"the kubelet gave up", "30Gi", "20Gi", "30Gi", corev1.PersistentVolumeClaimNodeResizeInfeasible, false},
	} {
		asked := claim(one.wanted)
		asked.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(one.had)}
		if one.state != "" {
			asked.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{corev1.ResourceStorage: one.state}
		}
		volume := &corev1.PersistentVolume{Spec: corev1.PersistentVolumeSpec{
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(one.volume)},
		}}
		if got := needsGrowth(asked, volume); got != one.want {
			t.Errorf("%s: got %v", one.name, got)
		}
	}
}

func TestAClaimWaitsForTheKubelet(t *testing.T) {
	grown := claim("30Gi")
	markPending(grown, *capacity(30))
	allocated := grown.Status.AllocatedResources[corev1.ResourceStorage]
	if allocated.String() != "30Gi" || grown.Status.Conditions[0].Type != corev1.PersistentVolumeClaimFileSystemResizePending {
		t.Errorf("got %+v", grown.Status)
	}
}
