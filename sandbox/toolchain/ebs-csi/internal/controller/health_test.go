package controller

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAnUnhealthyDriverSaysWhatToVerify(t *testing.T) {
	err := healthy(t.Context(), func(context.Context) error { return errors.New("dry-run EC2 API call failed: no role") })
	want := "rpc error: code = FailedPrecondition desc = Failed health check (verify network connection and IAM credentials): " +
		"dry-run EC2 API call failed: no role"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestOnlyGoodAnswersAreRemembered(t *testing.T) {
	calls := 0
	answer := errors.New("no role")
	check := remembered(func(context.Context) error { calls++; return answer }, time.Hour)
	for range 2 {
		if check(t.Context()) == nil {
			t.Error("a failure was taken for a success")
		}
	}
	answer = nil
	for range 3 {
		if err := check(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if calls != 3 {
		t.Errorf("EC2 was asked %d times, not 3: twice in vain and once more", calls)
	}
}

func TestASilentCheckEndsInTime(t *testing.T) {
	silent := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := within(time.Millisecond, silent)(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
