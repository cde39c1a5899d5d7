package cloud

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
)

// fakeEC2 keeps volumes in memory. A new volume is `creating` the first time that it is described.
type fakeEC2 struct {
	volumes  map[string]*types.Volume
	created  []*ec2.CreateVolumeInput
	attached []*ec2.AttachVolumeInput
	refusal  error
}

func newFake(volumes ...types.Volume) *fakeEC2 {
	fake := &fakeEC2{volumes: map[string]*types.Volume{}}
	for index := range volumes {
		fake.volumes[*volumes[index].VolumeId] = &volumes[index]
	}
	return fake
}

func (f *fakeEC2) cloud() *Cloud {
	return &Cloud{ec2: f, poll: time.Millisecond, wait: 100 * time.Millisecond}
}

func refused(code string) error {
	return &smithy.GenericAPIError{Code: code, Message: "as asked by the test"}
}

func (f *fakeEC2) CreateVolume(_ context.Context, input *ec2.CreateVolumeInput, _ ...func(*ec2.Options)) (*ec2.CreateVolumeOutput, error) {
	if f.refusal != nil {
		return nil, f.refusal
	}
	f.created = append(f.created, input)
	f.volumes["vol-1"] = &types.Volume{VolumeId: aws.String("vol-1"), Size: input.Size, State: types.VolumeStateCreating}
	return &ec2.CreateVolumeOutput{VolumeId: aws.String("vol-1"), Size: input.Size, AvailabilityZone: input.AvailabilityZone}, nil
}

func (f *fakeEC2) DeleteVolume(_ context.Context, input *ec2.DeleteVolumeInput, _ ...func(*ec2.Options)) (*ec2.DeleteVolumeOutput, error) {
	if f.refusal != nil {
		return nil, f.refusal
	}
	delete(f.volumes, *input.VolumeId)
	return &ec2.DeleteVolumeOutput{}, nil
}

func (f *fakeEC2) ModifyVolume(_ context.Context, input *ec2.ModifyVolumeInput, _ ...func(*ec2.Options)) (*ec2.ModifyVolumeOutput, error) {
	if f.refusal != nil {
		return nil, f.refusal
	}
	f.volumes[*input.VolumeId].Size = input.Size
	return &ec2.ModifyVolumeOutput{}, nil
}

func (f *fakeEC2) DescribeVolumes(_ context.Context, input *ec2.DescribeVolumesInput, _ ...func(*ec2.Options)) (*ec2.DescribeVolumesOutput, error) {
	output := &ec2.DescribeVolumesOutput{}
	for id, volume := range f.volumes {
		if len(input.VolumeIds) == 0 || input.VolumeIds[0] == id {
			output.Volumes = append(output.Volumes, *volume)
			if volume.State == types.VolumeStateCreating {
				volume.State = types.VolumeStateAvailable
			}
		}
	}
	return output, nil
}

func (f *fakeEC2) AttachVolume(_ context.Context, input *ec2.AttachVolumeInput, _ ...func(*ec2.Options)) (*ec2.AttachVolumeOutput, error) {
	f.attached = append(f.attached, input)
	volume := f.volumes[*input.VolumeId]
	volume.Attachments = append(volume.Attachments, attachment(*input.InstanceId, *input.Device))
	return &ec2.AttachVolumeOutput{}, nil
}

func (f *fakeEC2) DetachVolume(_ context.Context, input *ec2.DetachVolumeInput, _ ...func(*ec2.Options)) (*ec2.DetachVolumeOutput, error) {
	if f.refusal != nil {
		return nil, f.refusal
	}
	f.volumes[*input.VolumeId].Attachments = nil
	return &ec2.DetachVolumeOutput{}, nil
}

func attachment(instance, device string) types.VolumeAttachment {
	return types.VolumeAttachment{
		InstanceId: aws.String(instance), Device: aws.String(device), State: types.VolumeAttachmentStateAttached,
	}
}

func volume(id string, size int32, attachments ...types.VolumeAttachment) types.Volume {
	return types.Volume{
		VolumeId: aws.String(id), Size: aws.Int32(size), State: types.VolumeStateAvailable, Attachments: attachments,
	}
}

func TestCreateVolumeAsksForWhatTheClassSays(t *testing.T) {
	fake := newFake()
	made, err := fake.cloud().CreateVolume(t.Context(), VolumeRequest{
		Name: "pvc-1", SizeGiB: 20, Type: "gp2", Zone: "ap-southeast-1a", Tags: map[string]string{"b": "2", "a": "1"},
		SnapshotID: "snap-1",
	})
	if err != nil || made.ID != "vol-1" || made.SizeGiB != 20 || made.Zone != "ap-southeast-1a" {
		t.Fatalf("made %+v, %v", made, err)
	}
	input := fake.created[0]
	if input.VolumeType != types.VolumeTypeGp2 || *input.Size != 20 || input.Iops != nil || input.KmsKeyId != nil || *input.SnapshotId != "snap-1" {
		t.Errorf("asked for %+v", input)
	}
	tags := input.TagSpecifications[0].Tags
	if len(tags) != 2 || *tags[0].Key != "a" || *tags[1].Value != "2" {
		t.Errorf("tags %v", tags)
	}
	if fake.volumes["vol-1"].State != types.VolumeStateAvailable {
		t.Error("returned before the volume was available")
	}
}

func TestClientTokenIsOnePerNameAndFitsEC2(t *testing.T) {
	if clientToken("pvc-1") != clientToken("pvc-1") || clientToken("pvc-1") == clientToken("pvc-2") {
		t.Error("a repeated request must find its own volume and no other")
	}
	if length := len(clientToken("pvc-1")); length > 64 {
		t.Errorf("%d characters, EC2 accepts 64", length)
	}
}

func TestErrorsKeepTheTextOfTheSDK(t *testing.T) {
	fake := newFake()
	fake.refusal = errors.New("operation error EC2: CreateVolume, get identity: …")
	_, err := fake.cloud().CreateVolume(t.Context(), VolumeRequest{Name: "pvc-1"})
	if err == nil || err.Error() != "could not create volume in EC2: operation error EC2: CreateVolume, get identity: …" {
		t.Errorf("got %v", err)
	}
	fake.refusal = refused("IdempotentParameterMismatch")
	if _, err := fake.cloud().CreateVolume(t.Context(), VolumeRequest{Name: "pvc-1"}); !errors.Is(err, ErrMismatch) {
		t.Errorf("got %v", err)
	}
}

func TestDeleteVolumeThatIsGone(t *testing.T) {
	fake := newFake()
	fake.refusal = refused("InvalidVolume.NotFound")
	if err := fake.cloud().DeleteVolume(t.Context(), "vol-1"); err != nil {
		t.Errorf("a volume that is gone is deleted, got %v", err)
	}
	fake.refusal = refused("VolumeInUse")
	if err := fake.cloud().DeleteVolume(t.Context(), "vol-1"); err == nil || !strings.Contains(err.Error(), "VolumeInUse") {
		t.Errorf("got %v", err)
	}
}

func TestGrowVolume(t *testing.T) {
	fake := newFake(volume("vol-1", 20))
	if size, err := fake.cloud().GrowVolume(t.Context(), "vol-1", 30); err != nil || size != 30 {
		t.Errorf("size %d, %v", size, err)
	}
	fake.refusal = refused("VolumeModificationRateExceeded")
	if size, err := fake.cloud().GrowVolume(t.Context(), "vol-1", 25); err != nil || size != 30 {
		t.Errorf("a volume that is large enough is left alone: size %d, %v", size, err)
	}
	if _, err := fake.cloud().GrowVolume(t.Context(), "vol-1", 40); err == nil {
		t.Error("the refusal was lost")
	}
}

func TestAttachVolumeTakesTheFirstFreeDevice(t *testing.T) {
	fake := newFake(volume("vol-1", 20), volume("vol-2", 20, attachment("i-a", "/dev/xvdaa")), volume("vol-3", 20, attachment("i-b", "/dev/xvdab")))
	device, err := fake.cloud().AttachVolume(t.Context(), "vol-1", "i-a")
	if err != nil || device != "/dev/xvdab" {
		t.Fatalf("device %q, %v", device, err)
	}
	if device, err = fake.cloud().AttachVolume(t.Context(), "vol-1", "i-a"); err != nil || device != "/dev/xvdab" || len(fake.attached) != 1 {
		t.Errorf("a second time attaches nothing: %q, %v, %d calls", device, err, len(fake.attached))
	}
}

func (f *fakeEC2) DescribeAvailabilityZones(_ context.Context, input *ec2.DescribeAvailabilityZonesInput, _ ...func(*ec2.Options)) (*ec2.DescribeAvailabilityZonesOutput, error) {
	if !aws.ToBool(input.DryRun) {
		return nil, errors.New("not a dry run")
	}
	return nil, f.refusal
}

func TestADryRunThatWouldHaveSucceededIsHealthy(t *testing.T) {
	for answer, healthy := range map[error]bool{nil: true, refused("DryRunOperation"): true, refused("UnauthorizedOperation"): false} {
		if err := With(&fakeEC2{refusal: answer}).DryRun(t.Context()); (err == nil) != healthy {
			t.Errorf("%v is taken as %v", answer, err)
		}
	}
}

func TestDetachVolume(t *testing.T) {
	fake := newFake(volume("vol-1", 20, attachment("i-a", "/dev/xvdaa")))
	if err := fake.cloud().DetachVolume(t.Context(), "vol-1", "i-a"); err != nil {
		t.Error(err)
	}
	for _, code := range []string{"IncorrectState", "InvalidAttachment.NotFound", "InvalidVolume.NotFound"} {
		fake.refusal = refused(code)
		if err := fake.cloud().DetachVolume(t.Context(), "vol-1", "i-a"); err != nil {
			t.Errorf("%s means detached, got %v", code, err)
		}
	}
	fake.refusal = refused("UnauthorizedOperation")
	if err := fake.cloud().DetachVolume(t.Context(), "vol-1", "i-a"); err == nil {
		t.Error("the refusal was lost")
	}
}
