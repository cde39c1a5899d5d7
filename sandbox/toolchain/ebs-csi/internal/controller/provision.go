package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/dynamic"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	translation "k8s.io/csi-translation-lib"
	"k8s.io/klog/v2"
	provisioning "sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/cloud"
)

// provisioner makes and deletes the volumes of claims.
type provisioner struct {
	cloud     *cloud.Cloud
	snapshots dynamic.Interface
	tags      tagging
	timeout   time.Duration
	nodes     corelisters.NodeLister
	csiNodes  storagelisters.CSINodeLister
	attached  storagelisters.VolumeAttachmentLister
	identity  string
}

func newProvisioner(
	aws *cloud.Cloud,
	snapshots dynamic.Interface,
	tags tagging,
	timeout time.Duration,
	nodes corelisters.NodeLister,
	csiNodes storagelisters.CSINodeLister,
	attached storagelisters.VolumeAttachmentLister,
) *provisioner {
	identity := fmt.Sprintf("%d-%d-%s", time.Now().UnixMilli(), rand.Intn(10000), DriverName)
	return &provisioner{cloud: aws, snapshots: snapshots, tags: tags, timeout: timeout, nodes: nodes, csiNodes: csiNodes, attached: attached, identity: identity}
}

// Provision makes the volume of a claim, in the zone of the node that the scheduler chose.
func (p *provisioner) Provision(ctx context.Context, options provisioning.ProvisionOptions) (*corev1.PersistentVolume, provisioning.ProvisioningState, error) {
	class := options.StorageClass
	if class.Provisioner == InTreeName {
		translated, err := translation.New().TranslateInTreeStorageClassToCSI(klog.FromContext(ctx), InTreeName, class.DeepCopy())
		if err != nil {
			return nil, provisioning.ProvisioningFinished, failure(class, fmt.Errorf("failed to translate storage class: %w", err))
		}
		class = translated
	}
	zone, state, err := p.zone(class, options.SelectedNodeName, options.PVName)
	if err != nil {
		return nil, state, failure(class, fmt.Errorf("error generating accessibility requirements: %w", err))
	}
	request, err := volumeRequest(options.PVName, zone, options.PVC, class.Parameters, p.tags)
	if err != nil {
		return nil, provisioning.ProvisioningFinished, failure(class, err)
	}
	if request.SnapshotID, err = p.snapshot(ctx, options.PVC); err != nil {
		return nil, provisioning.ProvisioningFinished, failure(class, err)
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	made, err := p.cloud.CreateVolume(ctx, request)
	if err != nil && ctx.Err() != nil {
		// csi-provisioner sees no answer: the reason is in the log of the driver alone.
		klog.ErrorS(creationStatus(options.PVName, err), "Creation of a volume ended without an answer")
		return nil, provisioning.ProvisioningInBackground, failure(class, status.FromContextError(ctx.Err()).Err())
	}
	if err != nil {
		state := provisioning.ProvisioningFinished
		if made.ID != "" {
			state = provisioning.ProvisioningInBackground
		}
		return nil, state, failure(class, creationStatus(options.PVName, err))
	}
	klog.InfoS("Created volume", "volume", made.ID, "zone", made.Zone, "claim", klog.KObj(options.PVC))
	return persistentVolume(options, class, made, p.identity), provisioning.ProvisioningFinished, nil
}

// Delete deletes the volume of a released PersistentVolume.
func (p *provisioner) Delete(ctx context.Context, volume *corev1.PersistentVolume) error {
	source, err := csiSource(volume)
	if err != nil {
		return err
	}
	attachments, err := p.attached.List(everything)
	if err != nil {
		return err
	}
	for _, attachment := range attachments {
		if used := attachment.Spec.Source.PersistentVolumeName; used != nil && *used == volume.Name {
			return fmt.Errorf("persistentvolume %s is still attached to node %s", volume.Name, attachment.Spec.NodeName)
		}
	}
	if err := p.cloud.DeleteVolume(ctx, source.VolumeHandle); err != nil {
		return status.Errorf(codes.Internal, "Could not delete volume ID %q: %v", source.VolumeHandle, err)
	}
	klog.InfoS("Deleted volume", "volume", source.VolumeHandle, "persistentVolume", volume.Name)
	return nil
}

// zone is where the volume must be: with the pod, or, when binding does not wait for a pod, where the class allows it.
func (p *provisioner) zone(class *storagev1.StorageClass, nodeName, volumeName string) (string, provisioning.ProvisioningState, error) {
	if nodeName == "" {
		zones, err := p.allowedZones(class)
		if err != nil {
			return "", provisioning.ProvisioningNoChange, err
		}
		return zones[spread(volumeName, len(zones))], provisioning.ProvisioningNoChange, nil
	}
	node, err := p.nodes.Get(nodeName)
	if apierrors.IsNotFound(err) {
		return "", provisioning.ProvisioningReschedule, fmt.Errorf("error getting selected node: %w", err)
	}
	if err != nil {
		return "", provisioning.ProvisioningNoChange, err
	}
	if !p.registered(nodeName) {
		return "", provisioning.ProvisioningNoChange, fmt.Errorf("no topology key found on CSINode %s", nodeName)
	}
	zone := node.Labels[TopologyKey]
	if zone == "" {
		return "", provisioning.ProvisioningNoChange, fmt.Errorf("topology labels from selected node %s do not contain %s", nodeName, TopologyKey)
	}
	return zone, provisioning.ProvisioningNoChange, nil
}

// registered says whether the driver's node plugin serves that node.
func (p *provisioner) registered(nodeName string) bool {
	csiNode, err := p.csiNodes.Get(nodeName)
	return err == nil && driverOn(csiNode) != nil
}

func (p *provisioner) allowedZones(class *storagev1.StorageClass) ([]string, error) {
	var zones []string
	for _, term := range class.AllowedTopologies {
		for _, expression := range term.MatchLabelExpressions {
			if expression.Key == TopologyKey || expression.Key == corev1.LabelTopologyZone {
				zones = append(zones, expression.Values...)
			}
		}
	}
	if len(zones) > 0 {
		return zones, nil
	}
	nodes, err := p.nodes.List(everything)
	if err != nil {
		return nil, err
	}
	for _, node := range nodes {
		if zone := node.Labels[TopologyKey]; zone != "" && p.registered(node.Name) {
			zones = append(zones, zone)
		}
	}
	if len(zones) == 0 {
		return nil, errors.New("no available topology found")
	}
	return zones, nil
}

// creationStatus is the answer that the real driver gives over gRPC; its text ends up in the claim's event.
func creationStatus(name string, err error) error {
	code := codes.Internal
	if errors.Is(err, cloud.ErrMismatch) {
		code = codes.AlreadyExists
	}
	return status.Errorf(code, "Could not create volume %q: %v", name, err)
}

func failure(class *storagev1.StorageClass, err error) error {
	return fmt.Errorf("failed to provision volume with StorageClass %q: %w", class.Name, err)
}

func persistentVolume(options provisioning.ProvisionOptions, class *storagev1.StorageClass, made cloud.Volume, identity string) *corev1.PersistentVolume {
	fsType := defaultFSType
	if chosen := class.Parameters[fsTypeParameter]; chosen != "" {
		fsType = chosen
	}
	reclaim := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	mode := corev1.PersistentVolumeFilesystem
	zoneTerm := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: TopologyKey, Operator: corev1.NodeSelectorOpIn, Values: []string{made.Zone}},
	}}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes:                   options.PVC.Spec.AccessModes,
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: *capacity(made.SizeGiB)},
			MountOptions:                  class.MountOptions,
			PersistentVolumeReclaimPolicy: reclaim,
			VolumeMode:                    &mode,
			NodeAffinity:                  &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{zoneTerm}}},
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{
				Driver:           DriverName,
				VolumeHandle:     made.ID,
				FSType:           fsType,
				VolumeAttributes: map[string]string{"storage.kubernetes.io/csiProvisionerIdentity": identity},
			}},
		},
	}
}

func capacity(sizeGiB int32) *resource.Quantity {
	return resource.NewQuantity(int64(sizeGiB)*cloud.GiB, resource.BinarySI)
}
