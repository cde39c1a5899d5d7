// Package cloud is the driver's side of the EC2 API: volumes and their attachments.
//
// Errors keep the SDK's own text, because people search for it word by word.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
)

// EC2 names the calls that the driver makes; a test gives its own.
type EC2 interface {
	CreateVolume(context.Context, *ec2.CreateVolumeInput, ...func(*ec2.Options)) (*ec2.CreateVolumeOutput, error)
	DeleteVolume(context.Context, *ec2.DeleteVolumeInput, ...func(*ec2.Options)) (*ec2.DeleteVolumeOutput, error)
	ModifyVolume(context.Context, *ec2.ModifyVolumeInput, ...func(*ec2.Options)) (*ec2.ModifyVolumeOutput, error)
	DescribeVolumes(context.Context, *ec2.DescribeVolumesInput, ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error)
	AttachVolume(context.Context, *ec2.AttachVolumeInput, ...func(*ec2.Options)) (*ec2.AttachVolumeOutput, error)
	DetachVolume(context.Context, *ec2.DetachVolumeInput, ...func(*ec2.Options)) (*ec2.DetachVolumeOutput, error)
	DescribeAvailabilityZones(context.Context, *ec2.DescribeAvailabilityZonesInput, ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error)
}

// Cloud makes the driver's EC2 calls and waits for their effect.
type Cloud struct {
	ec2  EC2
	poll time.Duration
	wait time.Duration
}

// New takes identity, region and endpoint from the environment, as every AWS program does: on EKS that is the role of
// the pod's service account, assumed with its projected token.
func New(ctx context.Context) (*Cloud, error) {
	// The SDK's retry quota is for a fleet that must not storm AWS. Here it would run dry after fifty failed claims
	// and change the text of the error, so the attempts stay three and are not rationed.
	retryer := func() aws.Retryer {
		return retry.NewStandard(func(options *retry.StandardOptions) { options.RateLimiter = ratelimit.None })
	}
	configuration, err := config.LoadDefaultConfig(ctx, config.WithRetryer(retryer))
	if err != nil {
		return nil, fmt.Errorf("unable to load AWS config: %w", err)
	}
	if configuration.Region == "" {
		return nil, errors.New("no region: set AWS_REGION")
	}
	return With(ec2.NewFromConfig(configuration)), nil
}

// With uses the given EC2 client.
func With(client EC2) *Cloud {
	return &Cloud{ec2: client, poll: 200 * time.Millisecond, wait: time.Minute}
}

// DryRun makes a call that changes nothing, to find out whether EC2 and its credentials can be reached.
func (c *Cloud) DryRun(ctx context.Context) error {
	_, err := c.ec2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{DryRun: aws.Bool(true)})
	if err == nil || hasCode(err, "DryRunOperation") {
		return nil
	}
	return fmt.Errorf("dry-run EC2 API call failed: %w", err)
}

// hasCode says whether EC2 answered with that error code.
func hasCode(err error, code string) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && answer.ErrorCode() == code
}
