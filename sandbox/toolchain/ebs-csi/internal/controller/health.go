package controller

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"
)

// serveHealth answers /healthz, which the Deployment's probes ask.
func serveHealth(ctx context.Context, address string, check func(context.Context) error, failed chan<- error) {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(writer http.ResponseWriter, request *http.Request) {
		if err := healthy(request.Context(), check); err != nil {
			http.Error(writer, err.Error(), http.StatusInternalServerError)
		}
	})
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		failed <- fmt.Errorf("health endpoint %s: %w", address, err)
	}
}

// healthy answers as the real driver's Probe does, and logs why not.
func healthy(ctx context.Context, check func(context.Context) error) error {
	if err := check(ctx); err != nil {
		err = status.Errorf(codes.FailedPrecondition, "Failed health check (verify network connection and IAM credentials): %v", err)
		klog.ErrorS(err, "Health check failed")
		return err
	}
	return nil
}

// within ends a check that gets no answer.
func within(timeout time.Duration, check func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return check(ctx)
	}
}

// remembered asks again only when the last good answer is older than `age`: the probes come every few seconds.
func remembered(check func(context.Context) error, age time.Duration) func(context.Context) error {
	var mutex sync.Mutex
	var good time.Time
	return func(ctx context.Context) error {
		mutex.Lock()
		defer mutex.Unlock()
		if !good.IsZero() && time.Since(good) < age {
			return nil
		}
		err := check(ctx)
		if err == nil {
			good = time.Now()
		}
		return err
	}
}
