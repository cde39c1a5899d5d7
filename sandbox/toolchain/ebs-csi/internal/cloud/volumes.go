package cloud

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// GiB is the unit of EBS volume sizes, in bytes.
const GiB int64 = 1 << 30

// ErrMismatch: a volume was made earlier under the same name with other parameters.
var ErrMismatch = errors.New("parameters on this idempotent request are inconsistent with parameters used in previous request(s)")

// VolumeRequest says what to create. Zero values of the optional fields leave the choice to EC2.
type VolumeRequest struct {
	Name       string // of the PersistentVolume; the same name never makes a second volume
	SizeGiB    int32
	Type       string
	Zone       string
	Encrypted  bool
	KmsKeyID   string // optional
	IOPS       int32  // optional
	Throughput int32  // optional, MiB/s
	SnapshotID string // optional; the volume is made from it
	Tags       map[string]string
}

// Volume is what EC2 made.
type Volume struct {
	ID      string
	SizeGiB int32
	Zone    string
}

// CreateVolume creates the volume and waits until it is available. When the wait fails, the volume that exists is
// returned together with the error.
func (c *Cloud) CreateVolume(ctx context.Context, request VolumeRequest) (Volume, error) {
	input := &ec2.CreateVolumeInput{
		AvailabilityZone:  aws.String(request.Zone),
		ClientToken:       aws.String(clientToken(request.Name)),
		Encrypted:         aws.Bool(request.Encrypted),
		Size:              aws.Int32(request.SizeGiB),
		VolumeType:        types.VolumeType(request.Type),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVolume, Tags: sortedTags(request.Tags)}},
	}
	if request.KmsKeyID != "" {
		input.KmsKeyId = aws.String(request.KmsKeyID)
	}
	if request.IOPS != 0 {
		input.Iops = aws.Int32(request.IOPS)
	}
	if request.Throughput != 0 {
		input.Throughput = aws.Int32(request.Throughput)
	}
	if request.SnapshotID != "" {
		input.SnapshotId = aws.String(request.SnapshotID)
	}
	answer, err := c.ec2.CreateVolume(ctx, input)
	if hasCode(err, "IdempotentParameterMismatch") {
		return Volume{}, ErrMismatch
	}
	if err != nil {
		return Volume{}, fmt.Errorf("could not create volume in EC2: %w", err)
	}
	made := Volume{ID: aws.ToString(answer.VolumeId), SizeGiB: aws.ToInt32(answer.Size), Zone: aws.ToString(answer.AvailabilityZone)}
	if err := c.until(ctx, made.ID, func(volume types.Volume) bool { return volume.State != types.VolumeStateCreating }); err != nil {
		return made, fmt.Errorf("timed out waiting for volume to create: %w", err)
	}
	return made, nil
}

// DeleteVolume deletes the volume; one that does not exist counts as deleted.
func (c *Cloud) DeleteVolume(ctx context.Context, id string) error {
	_, err := c.ec2.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: aws.String(id)})
	if err != nil && !hasCode(err, "InvalidVolume.NotFound") {
		return fmt.Errorf("DeleteDisk could not delete volume: %w", err)
	}
	return nil
}

// GrowVolume makes the volume at least that large, waits for it and returns its size in GiB.
func (c *Cloud) GrowVolume(ctx context.Context, id string, sizeGiB int32) (int32, error) {
	volume, err := c.describe(ctx, id)
	if err != nil {
		return 0, err
	}
	if size := aws.ToInt32(volume.Size); size >= sizeGiB {
		return size, nil
	}
	if _, err := c.ec2.ModifyVolume(ctx, &ec2.ModifyVolumeInput{VolumeId: aws.String(id), Size: aws.Int32(sizeGiB)}); err != nil {
		return 0, fmt.Errorf("unable to modify AWS volume %q: %w", id, err)
	}
	if err := c.until(ctx, id, func(volume types.Volume) bool { return aws.ToInt32(volume.Size) >= sizeGiB }); err != nil {
		return 0, fmt.Errorf("timed out waiting for the modification of volume %q: %w", id, err)
	}
	return sizeGiB, nil
}

func (c *Cloud) describe(ctx context.Context, id string) (types.Volume, error) {
	answer, err := c.ec2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
	if err != nil {
		return types.Volume{}, fmt.Errorf("could not describe volume %q: %w", id, err)
	}
	if len(answer.Volumes) != 1 {
		return types.Volume{}, fmt.Errorf("EC2 knows %d volumes with id %q", len(answer.Volumes), id)
	}
	return answer.Volumes[0], nil
}

// until waits for a state of the volume.
func (c *Cloud) until(ctx context.Context, id string, reached func(types.Volume) bool) error {
	return wait.PollUntilContextTimeout(ctx, c.poll, c.wait, true, func(ctx context.Context) (bool, error) {
		volume, err := c.describe(ctx, id)
		return err == nil && reached(volume), err
	})
}

// clientToken makes a repeated request find the volume of the first one. EC2 accepts 64 characters.
func clientToken(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

func sortedTags(tags map[string]string) []types.Tag {
	keys := make([]string, 0, len(tags))
	for key := range tags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	sorted := make([]types.Tag, 0, len(keys))
	for _, key := range keys {
		sorted = append(sorted, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return sorted
}
