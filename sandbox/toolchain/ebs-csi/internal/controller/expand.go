package controller

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/cloud"
)

// expander grows the volumes of claims that ask for more than they have; the kubelet then grows the file system.
type expander struct {
	client   kubernetes.Interface
	cloud    *cloud.Cloud
	recorder record.EventRecorder
	claims   corelisters.PersistentVolumeClaimLister
	volumes  corelisters.PersistentVolumeLister
	loop     *loop
}

func newExpander(
	client kubernetes.Interface,
	aws *cloud.Cloud,
	recorder record.EventRecorder,
	claims coreinformers.PersistentVolumeClaimInformer,
	volumes corelisters.PersistentVolumeLister,
) *expander {
	made := &expander{client: client, cloud: aws, recorder: recorder, claims: claims.Lister(), volumes: volumes}
	made.loop = newLoop("claims to grow", made.sync)
	made.loop.watch(claims.Informer())
	return made
}

func (e *expander) run(ctx context.Context) { e.loop.run(ctx) }

func (e *expander) sync(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	claim, err := e.claims.PersistentVolumeClaims(namespace).Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil || claim.Status.Phase != corev1.ClaimBound || claim.DeletionTimestamp != nil {
		return err
	}
	volume, err := e.volumes.Get(claim.Spec.VolumeName)
	if err != nil {
		return err
	}
	source, err := csiSource(volume)
	if err != nil {
		return nil // another driver's
	}
	if !needsGrowth(claim, volume) {
		return nil
	}
	return e.grow(ctx, claim.DeepCopy(), volume.DeepCopy(), source.VolumeHandle)
}

// needsGrowth says whether the controller has something to do for the claim. As long as the kubelet has, the claim stays
// untouched: a second writer would undo what it notes.
func needsGrowth(claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume) bool {
	wanted, had := claim.Spec.Resources.Requests[corev1.ResourceStorage], claim.Status.Capacity[corev1.ResourceStorage]
	if wanted.Cmp(had) <= 0 {
		return false
	}
	switch claim.Status.AllocatedResourceStatuses[corev1.ResourceStorage] {
	case corev1.PersistentVolumeClaimNodeResizePending,
		corev1.PersistentVolumeClaimNodeResizeInProgress,
		corev1.PersistentVolumeClaimNodeResizeInfeasible:
		return !volumeHas(volume, wanted)
	default:
		return true
	}
}

func volumeHas(volume *corev1.PersistentVolume, wanted resource.Quantity) bool {
	has := volume.Spec.Capacity[corev1.ResourceStorage]
	return has.Cmp(wanted) >= 0
}

// grow grows the EBS volume, then says so on the volume's object and last on the claim, which the kubelet watches.
func (e *expander) grow(ctx context.Context, claim *corev1.PersistentVolumeClaim, volume *corev1.PersistentVolume, id string) error {
	wanted := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	e.recorder.Eventf(claim, corev1.EventTypeNormal, "Resizing", "External resizer is resizing volume %s", volume.Name)
	sizeGiB, err := e.cloud.GrowVolume(ctx, id, gibibytes(wanted.Value()))
	if err != nil {
		err = status.Errorf(codes.Internal, "Could not resize volume %q: %v", id, err)
		e.recorder.Eventf(claim, corev1.EventTypeWarning, "VolumeResizeFailed", "resize volume %q by resizer %q failed: %v", volume.Name, DriverName, err)
		return err
	}
	size := *capacity(sizeGiB)
	if !volumeHas(volume, size) {
		volume.Spec.Capacity[corev1.ResourceStorage] = size
		if _, err := e.client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("volume grown, its object not yet: %w", err)
		}
	}
	markPending(claim, size)
	if _, err := e.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("volume grown, its claim not yet: %w", err)
	}
	e.recorder.Event(claim, corev1.EventTypeNormal, "FileSystemResizeRequired", "Require file system resize of volume on node")
	klog.InfoS("Grew volume", "volume", id, "claim", klog.KObj(claim), "GiB", sizeGiB)
	return nil
}

// markPending tells the kubelet that only the file system is left to grow.
func markPending(claim *corev1.PersistentVolumeClaim, size resource.Quantity) {
	if claim.Status.AllocatedResources == nil {
		claim.Status.AllocatedResources = corev1.ResourceList{}
	}
	claim.Status.AllocatedResources[corev1.ResourceStorage] = size
	claim.Status.AllocatedResourceStatuses = map[corev1.ResourceName]corev1.ClaimResourceStatus{
		corev1.ResourceStorage: corev1.PersistentVolumeClaimNodeResizePending,
	}
	claim.Status.Conditions = []corev1.PersistentVolumeClaimCondition{{
		Type:               corev1.PersistentVolumeClaimFileSystemResizePending,
		Status:             corev1.ConditionTrue,
		LastTransitionTime: metav1.Now(),
		Message:            "Waiting for user to (re-)start a pod to finish file system resize of volume on node.",
	}}
}
