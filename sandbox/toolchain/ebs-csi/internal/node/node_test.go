package node

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/mount-utils"
)

func TestXFSStandsInWhereExt4CannotGrow(t *testing.T) {
	const everything, withoutSysResource = 0x1ffffffffff, 0x1fffeffffff
	if !canGrowExt4(everything) || canGrowExt4(withoutSysResource) {
		t.Fatal("bit 24 is CAP_SYS_RESOURCE")
	}
	for _, one := range []struct {
		asked     string
		ext4Grows bool
		want      string
	}{{"ext4", true, "ext4"}, {"", true, "ext4"}, {"ext4", false, "xfs"}, {"xfs", true, "xfs"}} {
		if got, err := fileSystem(one.asked, one.ext4Grows); err != nil || got != one.want {
			t.Errorf("%+v gave %q, %v", one, got, err)
		}
	}
	if _, err := fileSystem("ntfs", true); status.Code(err) != codes.InvalidArgument {
		t.Errorf("got %v", err)
	}
}

func TestCapabilitiesAreReadFromTheStatusFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "status")
	if err := os.WriteFile(path, []byte("Name:\tx\nCapEff:\t000001fffeffffff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := capabilities(path); err != nil || got != 0x1fffeffffff {
		t.Errorf("got %x, %v", got, err)
	}
}

func TestLoopDevicesOfAFile(t *testing.T) {
	list := []byte(`{"loopdevices": [
		{"name": "/dev/loop0", "back-file": "/volumes/vol-1.img"},
		{"name": "/dev/loop1", "back-file": "/volumes/vol-11.img"},
		{"name": "/dev/loop2", "back-file": "/volumes/vol-1.img (deleted)"}]}`)
	got, err := parseLoopDevices(list, "/volumes/vol-1.img")
	if err != nil || !slices.Equal(got, []string{"/dev/loop0", "/dev/loop2"}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := parseLoopDevices(nil, "/volumes/vol-1.img"); err != nil || got != nil {
		t.Errorf("no device at all: %v, %v", got, err)
	}
}

func TestAVolumeIsNeverMountedOnTwoNodes(t *testing.T) {
	mounts := []mount.MountPoint{
		{Device: "/dev/loop0", Path: "/nodes/a/kubelet/stage"},
		{Device: "/dev/loop0", Path: "/nodes/a/kubelet/pods/1"},
		{Device: "/dev/loop1", Path: "/nodes/b/kubelet/stage"},
	}
	loop0 := []string{"/dev/loop0"}
	if staged, elsewhere := placesOf(loop0, mounts, "/nodes/a/kubelet/stage", "/nodes/a/kubelet"); !staged || elsewhere != "" {
		t.Errorf("here: %v, %q", staged, elsewhere)
	}
	if staged, elsewhere := placesOf(loop0, mounts, "/nodes/b/kubelet/stage", "/nodes/b/kubelet"); staged || elsewhere == "" {
		t.Errorf("on the other node: %v, %q", staged, elsewhere)
	}
	if staged, elsewhere := placesOf(nil, mounts, "/nodes/b/kubelet/stage", "/nodes/b/kubelet"); staged || elsewhere != "" {
		t.Errorf("without a device: %v, %q", staged, elsewhere)
	}
}

func TestBackingFile(t *testing.T) {
	folder := t.TempDir()
	for id, want := range map[string]codes.Code{"../etc/passwd": codes.InvalidArgument, "vol-0a": codes.NotFound} {
		if _, err := backingFile(folder, id); status.Code(err) != want {
			t.Errorf("%s gave %v", id, err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "vol-0a.img"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := backingFile(folder, "vol-0a"); err != nil || path != filepath.Join(folder, "vol-0a.img") {
		t.Errorf("got %q, %v", path, err)
	}
}

func TestMountOptions(t *testing.T) {
	if got := mountOptions(xfs, []string{"noatime"}, true); !slices.Equal(got, []string{"noatime", "nouuid", "ro"}) {
		t.Errorf("got %v", got)
	}
	if got := mountOptions(ext4, nil, false); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestOneCallAtATimePerVolume(t *testing.T) {
	busy := newLocks()
	release, err := busy.take("vol-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := busy.take("vol-1"); status.Code(err) != codes.Aborted {
		t.Errorf("got %v", err)
	}
	if _, err := busy.take("vol-2"); err != nil {
		t.Errorf("another volume waits for nobody: %v", err)
	}
	release()
	if _, err := busy.take("vol-1"); err != nil {
		t.Errorf("after the first call: %v", err)
	}
}
