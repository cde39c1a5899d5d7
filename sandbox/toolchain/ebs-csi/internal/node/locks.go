package node

import (
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// locks lets one call at a time work on a volume; the kubelet tries a second one again.
type locks struct {
	mutex sync.Mutex
	held  map[string]bool
}

func newLocks() *locks { return &locks{held: map[string]bool{}} }

func (l *locks) take(id string) (release func(), err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.held[id] {
		return nil, status.Errorf(codes.Aborted, "An operation with the given volume=%q is already in progress", id)
	}
	l.held[id] = true
	return func() {
		l.mutex.Lock()
		defer l.mutex.Unlock()
		delete(l.held, id)
	}, nil
}
