package cloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// AttachVolume attaches the volume to the instance, waits for it and returns the device name. A volume that is already
// attached there stays as it is.
func (c *Cloud) AttachVolume(ctx context.Context, id, instance string) (string, error) {
	volume, err := c.describe(ctx, id)
	if err != nil {
		return "", err
	}
	if attachment := attachmentTo(volume, instance); attachment != nil {
		if err := c.untilAttached(ctx, id, instance); err != nil {
			return "", err
		}
		return aws.ToString(attachment.Device), nil
	}
	device, err := c.freeDevice(ctx, instance)
	if err != nil {
		return "", err
	}
	input := &ec2.AttachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance), Device: aws.String(device)}
	if _, err := c.ec2.AttachVolume(ctx, input); err != nil {
		return "", fmt.Errorf("could not attach volume %q to node %q: %w", id, instance, err)
	}
	return device, c.untilAttached(ctx, id, instance)
}

// DetachVolume detaches the volume and waits for it. A volume that is gone, or not attached there, counts as detached.
func (c *Cloud) DetachVolume(ctx context.Context, id, instance string) error {
	_, err := c.ec2.DetachVolume(ctx, &ec2.DetachVolumeInput{VolumeId: aws.String(id), InstanceId: aws.String(instance)})
	switch {
	case hasCode(err, "IncorrectState"), hasCode(err, "InvalidAttachment.NotFound"), hasCode(err, "InvalidVolume.NotFound"):
		return nil
	case err != nil:
		return fmt.Errorf("could not detach volume %q from node %q: %w", id, instance, err)
	}
	return c.until(ctx, id, func(volume types.Volume) bool { return attachmentTo(volume, instance) == nil })
}

func (c *Cloud) untilAttached(ctx context.Context, id, instance string) error {
	err := c.until(ctx, id, func(volume types.Volume) bool {
		attachment := attachmentTo(volume, instance)
		return attachment != nil && attachment.State == types.VolumeAttachmentStateAttached
	})
	if err != nil {
		return fmt.Errorf("timed out waiting for the attachment of volume %q to %q: %w", id, instance, err)
	}
	return nil
}

func attachmentTo(volume types.Volume, instance string) *types.VolumeAttachment {
	for index := range volume.Attachments {
		attachment := &volume.Attachments[index]
		if aws.ToString(attachment.InstanceId) == instance && attachment.State != types.VolumeAttachmentStateDetached {
			return attachment
		}
	}
	return nil
}

// freeDevice gives the first device name of /dev/xvdaa … /dev/xvdzz that no volume of the instance has: EC2 leaves the
// choice to the caller.
func (c *Cloud) freeDevice(ctx context.Context, instance string) (string, error) {
	filter := types.Filter{Name: aws.String("attachment.instance-id"), Values: []string{instance}}
	answer, err := c.ec2.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []types.Filter{filter}})
	if err != nil {
		return "", fmt.Errorf("could not list the volumes of %q: %w", instance, err)
	}
	taken := map[string]bool{}
	for _, volume := range answer.Volumes {
		if attachment := attachmentTo(volume, instance); attachment != nil {
			taken[aws.ToString(attachment.Device)] = true
		}
	}
	for first := 'a'; first <= 'z'; first++ {
		for second := 'a'; second <= 'z'; second++ {
			if device := fmt.Sprintf("/dev/xvd%c%c", first, second); !taken[device] {
				return device, nil
			}
		}
	}
	return "", fmt.Errorf("no device name is left on %q", instance)
}
