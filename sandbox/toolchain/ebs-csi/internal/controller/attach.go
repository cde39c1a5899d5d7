package controller

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreinformers "k8s.io/client-go/informers/core/v1"
	storageinformers "k8s.io/client-go/informers/storage/v1"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/klog/v2"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/cloud"
)

// attachFinalizer keeps a VolumeAttachment until the volume is detached, and its volume's object as long.
const attachFinalizer = "external-attacher/ebs-csi-aws-com"

// attacher carries out VolumeAttachments, which kube-controller-manager makes and deletes.
type attacher struct {
	client      kubernetes.Interface
	cloud       *cloud.Cloud
	attachments storagelisters.VolumeAttachmentLister
	volumes     corelisters.PersistentVolumeLister
	csiNodes    storagelisters.CSINodeLister
	attaching   *loop
	releasing   *loop
}

func newAttacher(
	client kubernetes.Interface,
	aws *cloud.Cloud,
	attachments storageinformers.VolumeAttachmentInformer,
	volumes coreinformers.PersistentVolumeInformer,
	csiNodes storagelisters.CSINodeLister,
) *attacher {
	made := &attacher{client: client, cloud: aws, attachments: attachments.Lister(), volumes: volumes.Lister(), csiNodes: csiNodes}
	made.attaching = newLoop("attachments", made.syncAttachment)
	made.attaching.watch(attachments.Informer())
	made.releasing = newLoop("released volumes", made.syncVolume)
	made.releasing.watch(volumes.Informer())
	return made
}

func (a *attacher) run(ctx context.Context) {
	go a.releasing.run(ctx)
	a.attaching.run(ctx)
}

func (a *attacher) syncAttachment(ctx context.Context, name string) error {
	attachment, err := a.attachments.Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case attachment.Spec.Attacher != DriverName || attachment.Spec.Source.PersistentVolumeName == nil:
		return nil
	case attachment.DeletionTimestamp != nil:
		return a.detach(ctx, attachment.DeepCopy())
	case attachment.Status.Attached:
		return nil
	default:
		return a.attach(ctx, attachment.DeepCopy())
	}
}

func (a *attacher) attach(ctx context.Context, attachment *storagev1.VolumeAttachment) error {
	volume, instance, err := a.ends(attachment)
	if err != nil {
		return a.report(ctx, attachment, err)
	}
	source, err := csiSource(volume)
	if err != nil {
		return a.report(ctx, attachment, err)
	}
	if err := a.guard(ctx, volume); err != nil {
		return err
	}
	if !slices.Contains(attachment.Finalizers, attachFinalizer) {
		attachment.Finalizers = append(attachment.Finalizers, attachFinalizer)
		if attachment, err = a.client.StorageV1().VolumeAttachments().Update(ctx, attachment, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	device, err := a.cloud.AttachVolume(ctx, source.VolumeHandle, instance)
	if err != nil {
		return a.report(ctx, attachment, status.Errorf(codes.Internal, "Could not attach volume %q to node %q: %v", source.VolumeHandle, instance, err))
	}
	klog.InfoS("Attached volume", "volume", source.VolumeHandle, "instance", instance, "device", device)
	attachment.Status = storagev1.VolumeAttachmentStatus{Attached: true, AttachmentMetadata: map[string]string{"devicePath": device}}
	_, err = a.client.StorageV1().VolumeAttachments().UpdateStatus(ctx, attachment, metav1.UpdateOptions{})
	return err
}

func (a *attacher) detach(ctx context.Context, attachment *storagev1.VolumeAttachment) error {
	if !slices.Contains(attachment.Finalizers, attachFinalizer) {
		return nil
	}
	volume, instance, err := a.ends(attachment)
	if err != nil && !apierrors.IsNotFound(err) {
		return a.report(ctx, attachment, err)
	}
	if err == nil { // without the volume's object, or without the node, there is nothing left to detach
		source, err := csiSource(volume)
		if err != nil {
			return a.report(ctx, attachment, err)
		}
		if err := a.cloud.DetachVolume(ctx, source.VolumeHandle, instance); err != nil {
			return a.report(ctx, attachment, status.Errorf(codes.Internal, "Could not detach volume %q from node %q: %v", source.VolumeHandle, instance, err))
		}
		klog.InfoS("Detached volume", "volume", source.VolumeHandle, "instance", instance)
	}
	if attachment.Status.Attached {
		attachment.Status = storagev1.VolumeAttachmentStatus{}
		if attachment, err = a.client.StorageV1().VolumeAttachments().UpdateStatus(ctx, attachment, metav1.UpdateOptions{}); err != nil {
			return err
		}
	}
	attachment.Finalizers = without(attachment.Finalizers, attachFinalizer)
	_, err = a.client.StorageV1().VolumeAttachments().Update(ctx, attachment, metav1.UpdateOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	a.releasing.queue.Add(*attachment.Spec.Source.PersistentVolumeName)
	return nil
}

// ends gives the two things that an attachment joins: the volume and the EC2 instance.
func (a *attacher) ends(attachment *storagev1.VolumeAttachment) (*corev1.PersistentVolume, string, error) {
	volume, err := a.volumes.Get(*attachment.Spec.Source.PersistentVolumeName)
	if err != nil {
		return nil, "", err
	}
	csiNode, err := a.csiNodes.Get(attachment.Spec.NodeName)
	if err != nil {
		return nil, "", err
	}
	driver := driverOn(csiNode)
	if driver == nil {
		return nil, "", fmt.Errorf("CSINode %s does not contain driver %s", attachment.Spec.NodeName, DriverName)
	}
	return volume, driver.NodeID, nil
}

// guard keeps the PersistentVolume while it is attached.
func (a *attacher) guard(ctx context.Context, volume *corev1.PersistentVolume) error {
	if slices.Contains(volume.Finalizers, attachFinalizer) {
		return nil
	}
	if volume.DeletionTimestamp != nil {
		return fmt.Errorf("volume %s is being deleted", volume.Name)
	}
	guarded := volume.DeepCopy()
	guarded.Finalizers = append(guarded.Finalizers, attachFinalizer)
	_, err := a.client.CoreV1().PersistentVolumes().Update(ctx, guarded, metav1.UpdateOptions{})
	return err
}

// syncVolume lets a deleted PersistentVolume go once nothing is attached to it.
func (a *attacher) syncVolume(ctx context.Context, name string) error {
	volume, err := a.volumes.Get(name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil || volume.DeletionTimestamp == nil || !slices.Contains(volume.Finalizers, attachFinalizer) {
		return err
	}
	attachments, err := a.attachments.List(everything)
	if err != nil {
		return err
	}
	for _, attachment := range attachments {
		if used := attachment.Spec.Source.PersistentVolumeName; used != nil && *used == name {
			return nil // its detachment comes back here
		}
	}
	released := volume.DeepCopy()
	released.Finalizers = without(released.Finalizers, attachFinalizer)
	_, err = a.client.CoreV1().PersistentVolumes().Update(ctx, released, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// report writes the error where kube-controller-manager finds it for the pod's event, and gives it back for the retry.
func (a *attacher) report(ctx context.Context, attachment *storagev1.VolumeAttachment, cause error) error {
	problem := &storagev1.VolumeError{Time: metav1.Now(), Message: cause.Error()}
	if attachment.DeletionTimestamp != nil {
		attachment.Status.DetachError = problem
	} else {
		attachment.Status.AttachError = problem
	}
	if _, err := a.client.StorageV1().VolumeAttachments().UpdateStatus(ctx, attachment, metav1.UpdateOptions{}); err != nil {
		klog.ErrorS(err, "Cannot report", "attachment", attachment.Name)
	}
	return cause
}

func without(all []string, gone string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return one == gone })
}
