// Command ebs-csi stands in for the Amazon EBS CSI driver on one machine.
//
// `ebs-csi controller` runs as the Deployment ebs-csi-controller: it provisions, attaches, grows and deletes volumes
// through the real EC2 API calls with the identity of its service account. `ebs-csi node` runs beside each kubelet and
// serves the CSI node service: it mounts the blocks that EC2's stand-in keeps as one file per volume.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/klog/v2"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/controller"
	"eks-rocketmq.dev/toolchain/ebs-csi/internal/node"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		klog.ErrorS(err, "ebs-csi ended")
		klog.FlushAndExit(klog.ExitFlushTimeout, 1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("no command given; accepted are `ebs-csi controller` and `ebs-csi node`")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	klog.InitFlags(flags)
	switch arguments[0] {
	case "controller":
		options := controller.Options{}
		flags.StringVar(&options.ClusterID, "k8s-tag-cluster-id", "", "name of the cluster, for the tags of its volumes")
		flags.StringVar(&options.Kubeconfig, "kubeconfig", "", "kubeconfig file; empty means the pod's service account")
		flags.StringVar(&options.ExtraTags, "extra-tags", "", "further tags of each volume: key=value,key=value")
		flags.StringVar(&options.ProbeAddress, "probe-address", ":9808", "address of the health endpoint")
		flags.BoolVar(&options.CheckEC2, "check-ec2", false, "be healthy only while EC2 answers, as the driver is since 1.49")
		flags.DurationVar(&options.Timeout, "timeout", time.Minute, "how long a call may take, as EKS sets it for csi-provisioner")
		if err := flags.Parse(arguments[1:]); err != nil {
			return err
		}
		return controller.Run(ctx, options)
	case "node":
		options := node.Options{}
		flags.StringVar(&options.KubeletRoot, "kubelet-root", "", "root directory of the kubelet beside this plugin")
		flags.StringVar(&options.Volumes, "volumes", "", "folder with the blocks of the volumes, one file vol-….img each")
		flags.StringVar(&options.InstanceID, "instance-id", "", "EC2 id of the instance that this node is")
		flags.StringVar(&options.Zone, "zone", "", "availability zone of the node")
		flags.Int64Var(&options.MaxVolumes, "volume-attach-limit", 25, "how many volumes can be attached to the node")
		if err := flags.Parse(arguments[1:]); err != nil {
			return err
		}
		return node.Run(ctx, options)
	default:
		return fmt.Errorf("unknown command %q; accepted are `ebs-csi controller` and `ebs-csi node`", arguments[0])
	}
}
