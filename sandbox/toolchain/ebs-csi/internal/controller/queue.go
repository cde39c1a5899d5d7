package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// loop works on the keys of changed objects, several at a time, and comes back to those that failed.
type loop struct {
	name  string
	queue workqueue.TypedRateLimitingInterface[string]
	sync  func(ctx context.Context, key string) error
}

func newLoop(name string, sync func(ctx context.Context, key string) error) *loop {
	configuration := workqueue.TypedRateLimitingQueueConfig[string]{Name: name}
	return &loop{name: name, queue: workqueue.NewTypedRateLimitingQueueWithConfig(retryLimiter(), configuration), sync: sync}
}

// watch puts every object of the informer on the queue whenever it changes.
func (l *loop) watch(informer cache.SharedIndexInformer) {
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    l.enqueue,
		UpdateFunc: func(_, changed any) { l.enqueue(changed) },
	})
	if err != nil { // only a stopped informer refuses
		klog.ErrorS(err, "Cannot watch", "loop", l.name)
	}
}

func (l *loop) enqueue(object any) {
	if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
		l.queue.Add(key)
	}
}

func (l *loop) run(ctx context.Context) {
	for range 4 {
		go wait.UntilWithContext(ctx, func(ctx context.Context) {
			for l.next(ctx) {
			}
		}, time.Second)
	}
	<-ctx.Done()
	l.queue.ShutDown()
}

func (l *loop) next(ctx context.Context) bool {
	key, stopped := l.queue.Get()
	if stopped {
		return false
	}
	defer l.queue.Done(key)
	if err := l.sync(ctx, key); err != nil {
		klog.ErrorS(err, "Will try again", "loop", l.name, "key", key)
		l.queue.AddRateLimited(key)
		return true
	}
	l.queue.Forget(key)
	return true
}
