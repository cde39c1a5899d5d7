package node

import (
	"context"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"
)

// nodeService is the CSI node service. Every call may come again at any time and then finds its work done.
type nodeService struct {
	csi.UnimplementedNodeServer
	options   Options
	devices   devices
	mounter   *mount.SafeFormatAndMount
	ext4Grows bool
	busy      *locks
}

func (n *nodeService) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{
		NodeId:            n.options.InstanceID,
		MaxVolumesPerNode: n.options.MaxVolumes,
		AccessibleTopology: &csi.Topology{Segments: map[string]string{
			"topology.ebs.csi.aws.com/zone": n.options.Zone,
			"topology.kubernetes.io/zone":   n.options.Zone,
		}},
	}, nil
}

func (n *nodeService) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	var capabilities []*csi.NodeServiceCapability
	for _, kind := range []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csi.NodeServiceCapability_RPC_EXPAND_VOLUME,
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
	} {
		capabilities = append(capabilities, &csi.NodeServiceCapability{
			Type: &csi.NodeServiceCapability_Rpc{Rpc: &csi.NodeServiceCapability_RPC{Type: kind}},
		})
	}
	return &csi.NodeGetCapabilitiesResponse{Capabilities: capabilities}, nil
}

// NodeGetVolumeStats is where the kubelet's volume metrics come from.
func (n *nodeService) NodeGetVolumeStats(_ context.Context, request *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	mounted, err := n.mounter.IsMountPoint(request.GetVolumePath())
	if err != nil || !mounted {
		return nil, status.Errorf(codes.NotFound, "Nothing is mounted at %q: %v", request.GetVolumePath(), err)
	}
	var found unix.Statfs_t
	if err := unix.Statfs(request.GetVolumePath(), &found); err != nil {
		return nil, status.Errorf(codes.Internal, "Could not read the size of %q: %v", request.GetVolumePath(), err)
	}
	return &csi.NodeGetVolumeStatsResponse{Usage: usage(found)}, nil
}

func usage(found unix.Statfs_t) []*csi.VolumeUsage {
	block := found.Bsize
	return []*csi.VolumeUsage{
		{
			Unit:      csi.VolumeUsage_BYTES,
			Total:     int64(found.Blocks) * block,
			Available: int64(found.Bavail) * block,
			Used:      int64(found.Blocks-found.Bfree) * block,
		},
		{
			Unit:      csi.VolumeUsage_INODES,
			Total:     int64(found.Files),
			Available: int64(found.Ffree),
			Used:      int64(found.Files - found.Ffree),
		},
	}
}
