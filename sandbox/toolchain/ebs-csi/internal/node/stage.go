package node

import (
	"context"
	"os"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"
	"k8s.io/mount-utils"
)

// NodeStageVolume makes the volume's blocks a device, formats it when it is blank and mounts it once for the node.
func (n *nodeService) NodeStageVolume(_ context.Context, request *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	id, target := request.GetVolumeId(), request.GetStagingTargetPath()
	asked := request.GetVolumeCapability().GetMount()
	if target == "" || asked == nil {
		return nil, status.Error(codes.InvalidArgument, "A staging path and a mount capability are required: raw block volumes are not served")
	}
	file, err := backingFile(n.options.Volumes, id)
	if err != nil {
		return nil, err
	}
	fsType, err := fileSystem(asked.GetFsType(), n.ext4Grows)
	if err != nil {
		return nil, err
	}
	release, err := n.busy.take(id)
	if err != nil {
		return nil, err
	}
	defer release()
	if staged, err := n.stagedHere(file, target); err != nil || staged {
		return &csi.NodeStageVolumeResponse{}, err
	}
	device, err := n.devices.attach(file)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "Could not attach the blocks of volume %q: %v", id, err)
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not create target dir %q: %v", target, err)
	}
	if err := n.mounter.FormatAndMount(device, target, fsType, mountOptions(fsType, asked.GetMountFlags(), false)); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not format %q and mount it at %q: %v", device, target, err)
	}
	klog.InfoS("Staged volume", "volume", id, "device", device, "asked", asked.GetFsType(), "fileSystem", fsType)
	return &csi.NodeStageVolumeResponse{}, nil
}

// stagedHere says whether the volume is mounted at the target already. All nodes share one kernel here, so it also
// refuses what a real EBS volume cannot do: to be mounted on a second node.
func (n *nodeService) stagedHere(file, target string) (bool, error) {
	names, err := n.devices.of(file)
	if err != nil {
		return false, status.Errorf(codes.Internal, "%v", err)
	}
	mounts, err := n.mounter.List()
	if err != nil {
		return false, status.Errorf(codes.Internal, "Could not list mounts: %v", err)
	}
	staged, elsewhere := placesOf(names, mounts, target, n.options.KubeletRoot)
	if elsewhere != "" {
		return false, status.Errorf(codes.FailedPrecondition, "The volume is still mounted at %s, on another node", elsewhere)
	}
	return staged, nil
}

func placesOf(devices []string, mounts []mount.MountPoint, target, kubeletRoot string) (staged bool, elsewhere string) {
	for _, point := range mounts {
		for _, device := range devices {
			switch {
			case point.Device != device:
			case point.Path == target:
				staged = true
			case !strings.HasPrefix(point.Path, kubeletRoot+"/"):
				elsewhere = point.Path
			}
		}
	}
	return staged, elsewhere
}

// NodeUnstageVolume unmounts the volume and frees its device, whatever of both is left.
func (n *nodeService) NodeUnstageVolume(_ context.Context, request *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	id, target := request.GetVolumeId(), request.GetStagingTargetPath()
	if !volumeID.MatchString(id) || target == "" {
		return nil, status.Error(codes.InvalidArgument, "A volume id and a staging path are required")
	}
	release, err := n.busy.take(id)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := mount.CleanupMountPoint(target, n.mounter, true); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not unmount target %q: %v", target, err)
	}
	// The file may be gone already, its device not.
	if err := n.devices.detach(blocks(n.options.Volumes, id)); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not free the device of volume %q: %v", id, err)
	}
	klog.InfoS("Unstaged volume", "volume", id)
	return &csi.NodeUnstageVolumeResponse{}, nil
}

// NodeExpandVolume grows device and file system to what EC2 made of the volume.
func (n *nodeService) NodeExpandVolume(_ context.Context, request *csi.NodeExpandVolumeRequest) (*csi.NodeExpandVolumeResponse, error) {
	id, path := request.GetVolumeId(), request.GetVolumePath()
	file, err := backingFile(n.options.Volumes, id)
	if err != nil {
		return nil, err
	}
	release, err := n.busy.take(id)
	if err != nil {
		return nil, err
	}
	defer release()
	names, err := n.devices.of(file)
	if err != nil || len(names) == 0 {
		return nil, status.Errorf(codes.NotFound, "Volume %q is not staged on this node: %v", id, err)
	}
	if err := n.devices.grow(names[0]); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not resize volume %q: %v", id, err)
	}
	if _, err := mount.NewResizeFs(n.mounter.Exec).Resize(names[0], path); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not resize the file system of volume %q: %v", id, err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "Could not read the size of volume %q: %v", id, err)
	}
	klog.InfoS("Grew file system", "volume", id, "bytes", info.Size())
	return &csi.NodeExpandVolumeResponse{CapacityBytes: info.Size()}, nil
}
