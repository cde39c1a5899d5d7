// Package controller is the driver's controller: what the real one does in its own process and in the sidecars
// csi-provisioner, csi-attacher and csi-resizer, here in one process under one lease.
package controller

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	provisioning "sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"

	"eks-rocketmq.dev/toolchain/ebs-csi/internal/cloud"
)

const (
	// DriverName is the name of the CSI driver.
	DriverName = "ebs.csi.aws.com"
	// InTreeName is the provisioner of classes from before CSI; EKS's own class gp2 has it. Kubernetes hands the
	// claims of such classes to the CSI driver.
	InTreeName = "kubernetes.io/aws-ebs"
	// TopologyKey is the node label that says in which zone volumes must be made.
	TopologyKey = "topology.ebs.csi.aws.com/zone"

	namespace = "kube-system"
	leaseName = "ebs-csi-aws-com"

	// The real sidecars wait up to five minutes between attempts; here a person watches the claims heal.
	retryFirst = time.Second
	retryMost  = 20 * time.Second

	checkEvery = 10 * time.Second
)

// Options are the flags of `ebs-csi controller`.
type Options struct {
	ClusterID    string
	Kubeconfig   string
	ExtraTags    string
	ProbeAddress string
	CheckEC2     bool
	Timeout      time.Duration
}

// Run serves the health endpoint and works as long as it holds the lease. It returns nil when ctx ends.
func Run(ctx context.Context, options Options) error {
	extraTags, err := parseTags(options.ExtraTags)
	if err != nil {
		return err
	}
	configuration, err := clientcmd.BuildConfigFromFlags("", options.Kubeconfig)
	if err != nil {
		return fmt.Errorf("no access to the Kubernetes API: %w", err)
	}
	client, err := kubernetes.NewForConfig(configuration)
	if err != nil {
		return fmt.Errorf("no client for the Kubernetes API: %w", err)
	}
	snapshots, err := dynamic.NewForConfig(configuration)
	if err != nil {
		return fmt.Errorf("no client for the snapshots of the Kubernetes API: %w", err)
	}
	aws, err := cloud.New(ctx)
	if err != nil {
		return err
	}
	check := func(context.Context) error { return nil }
	if options.CheckEC2 {
		check = remembered(within(options.Timeout, aws.DryRun), checkEvery)
	}
	failed := make(chan error, 1)
	go serveHealth(ctx, options.ProbeAddress, check, failed)
	if err := healthy(ctx, check); err != nil {
		// The sidecars of the real driver ask it whether it is healthy before they begin, and end when it is not.
		return fmt.Errorf("CSI driver probe failed: %w", err)
	}

	identity, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("no host name for the lease: %w", err)
	}
	lost := make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: leaseName},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		},
		LeaseDuration:   8 * time.Second,
		RenewDeadline:   5 * time.Second,
		RetryPeriod:     time.Second,
		ReleaseOnCancel: true, // a rollout hands over at once
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				work(ctx, client, snapshots, aws, tagging{options.ClusterID, extraTags}, options.Timeout)
			},
			OnStoppedLeading: func() { close(lost) },
		},
	})
	if err != nil {
		return fmt.Errorf("no leader election: %w", err)
	}
	go elector.Run(ctx)
	select {
	case err := <-failed:
		return err
	case <-lost:
		if ctx.Err() == nil {
			return errors.New("the lease was lost to another replica")
		}
		return nil
	}
}

// work runs the three loops until ctx ends.
func work(ctx context.Context, client kubernetes.Interface, snapshots dynamic.Interface, aws *cloud.Cloud, tags tagging, timeout time.Duration) {
	factory := informers.NewSharedInformerFactory(client, 0)
	recorder := newRecorder(ctx, client)
	claims := factory.Core().V1().PersistentVolumeClaims()
	volumes := factory.Core().V1().PersistentVolumes()
	classes := factory.Storage().V1().StorageClasses()
	nodes := factory.Core().V1().Nodes()
	csiNodes := factory.Storage().V1().CSINodes()
	attachments := factory.Storage().V1().VolumeAttachments()

	provisioner := newProvisioner(aws, snapshots, tags, timeout, nodes.Lister(), csiNodes.Lister(), attachments.Lister())
	provisionController := provisioning.NewProvisionController(
		ctx, client, DriverName, provisioner,
		provisioning.LeaderElection(false), // this process holds its own lease
		provisioning.ClaimsInformer(claims.Informer()),
		provisioning.VolumesInformer(volumes.Informer()),
		provisioning.ClassesInformer(classes.Informer()),
		provisioning.AdditionalProvisionerNames([]string{InTreeName}),
		provisioning.AddFinalizer(true),
		provisioning.FailedProvisionThreshold(0), // try for ever, so claims heal by themselves
		provisioning.FailedDeleteThreshold(0),
		provisioning.RateLimiter(retryLimiter()),
	)
	attacher := newAttacher(client, aws, attachments, volumes, csiNodes.Lister())
	expander := newExpander(client, aws, recorder, claims, volumes.Lister())

	// The listers above must have asked for their informers before the factory starts.
	nodes.Informer()
	csiNodes.Informer()
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			klog.InfoS("Stopped before the cache was filled", "kind", kind.String())
			return
		}
	}
	klog.InfoS("Leading", "driver", DriverName, "cluster", tags.clusterID)
	go attacher.run(ctx)
	go expander.run(ctx)
	provisionController.Run(ctx)
}

func retryLimiter() workqueue.TypedRateLimiter[string] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[string](retryFirst, retryMost)
}

func newRecorder(ctx context.Context, client kubernetes.Interface) record.EventRecorder {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "external-resizer " + DriverName})
}
