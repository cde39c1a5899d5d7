package node

import (
	"context"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"
)

// NodePublishVolume makes the staged volume appear in the folder of a pod.
func (n *nodeService) NodePublishVolume(_ context.Context, request *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	source, target := request.GetStagingTargetPath(), request.GetTargetPath()
	asked := request.GetVolumeCapability().GetMount()
	if source == "" || target == "" || asked == nil {
		return nil, status.Error(codes.InvalidArgument, "A staging path, a target path and a mount capability are required")
	}
	release, err := n.busy.take(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	if staged, err := n.mounter.IsMountPoint(source); err != nil || !staged {
		return nil, status.Errorf(codes.FailedPrecondition, "Volume %q is not staged at %q: %v", request.GetVolumeId(), source, err)
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not create dir %q: %v", target, err)
	}
	published, err := n.mounter.IsMountPoint(target)
	if err != nil {
		return nil, status.Errorf(codes.Internal, "Could not check %q: %v", target, err)
	}
	if published {
		return &csi.NodePublishVolumeResponse{}, nil
	}
	options := mountOptions("", append([]string{"bind"}, asked.GetMountFlags()...), request.GetReadonly())
	if err := n.mounter.Mount(source, target, "", options); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not mount %q at %q: %v", source, target, err)
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

// NodeUnpublishVolume takes it out of the pod's folder again.
func (n *nodeService) NodeUnpublishVolume(_ context.Context, request *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	target := request.GetTargetPath()
	if target == "" {
		return nil, status.Error(codes.InvalidArgument, "A target path is required")
	}
	release, err := n.busy.take(request.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	if err := mount.CleanupMountPoint(target, n.mounter, true); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not unmount %q: %v", target, err)
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}
