// Package node is the driver's node plugin: the CSI node service beside one kubelet.
//
// The blocks of a volume are a file, made and resized by EC2's stand-in. A loop device makes them a block device, so
// capacity, file systems, fsync and growth are the kernel's own.
package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"k8s.io/klog/v2"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
	"k8s.io/mount-utils"
	"k8s.io/utils/exec"
)

const (
	driverName    = "ebs.csi.aws.com"
	driverVersion = "1"
)

// Options are the flags of `ebs-csi node`; all are required.
type Options struct {
	KubeletRoot string
	Volumes     string
	InstanceID  string
	Zone        string
	MaxVolumes  int64
}

func (o Options) validate() error {
	for name, value := range map[string]string{
		"--kubelet-root": o.KubeletRoot, "--volumes": o.Volumes, "--instance-id": o.InstanceID, "--zone": o.Zone,
	} {
		if value == "" {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

// Run registers the plugin with the kubelet and serves it until ctx ends. Mounts stay: pods do not notice a restart.
func Run(ctx context.Context, options Options) error {
	if err := options.validate(); err != nil {
		return err
	}
	effective, err := capabilities("/proc/self/status")
	if err != nil {
		return err
	}
	commands := exec.New()
	mounter := mount.NewSafeFormatAndMount(mount.NewWithoutSystemd(""), commands)
	service := &nodeService{options: options, devices: devices{commands}, mounter: mounter, ext4Grows: canGrowExt4(effective), busy: newLocks()}
	if !service.ext4Grows {
		klog.InfoS("This machine may not grow a mounted ext4 (no CAP_SYS_RESOURCE): volumes get xfs where ext4 is asked for")
	}
	socket := filepath.Join(options.KubeletRoot, "plugins", driverName, "csi.sock")
	failed := make(chan error, 2)
	plugin, err := serve(socket, failed, func(server *grpc.Server) {
		csi.RegisterIdentityServer(server, identityService{})
		csi.RegisterNodeServer(server, service)
	})
	if err != nil {
		return err
	}
	defer plugin.GracefulStop()
	registrar, err := serve(filepath.Join(options.KubeletRoot, "plugins_registry", driverName+"-reg.sock"), failed, func(server *grpc.Server) {
		registration.RegisterRegistrationServer(server, registrationService{endpoint: socket})
	})
	if err != nil {
		return err
	}
	defer registrar.GracefulStop() // its socket goes away, so the kubelet takes the driver off the node
	klog.InfoS("Serving", "driver", driverName, "instance", options.InstanceID, "zone", options.Zone, "socket", socket)
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// serve listens on a fresh Unix socket; one that an earlier process left is replaced.
func serve(socket string, failed chan<- error, register func(*grpc.Server)) (*grpc.Server, error) {
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return nil, fmt.Errorf("no folder for the socket: %w", err)
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("an earlier socket cannot be removed: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", socket, err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(logFailures))
	register(server)
	go func() {
		if err := server.Serve(listener); err != nil {
			failed <- fmt.Errorf("serving %s: %w", socket, err)
		}
	}()
	return server, nil
}

func logFailures(ctx context.Context, request any, call *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	answer, err := handler(ctx, request)
	if err != nil {
		klog.ErrorS(err, "Call failed", "method", call.FullMethod)
	} else {
		klog.V(4).InfoS("Call", "method", call.FullMethod)
	}
	return answer, err
}
