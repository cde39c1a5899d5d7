package node

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/utils/exec"
)

var volumeID = regexp.MustCompile(`^vol-[0-9a-f]+$`)

// deletedMark is what the kernel adds to the name of a backing file that has been removed.
const deletedMark = " (deleted)"

// devices joins files to loop devices, with losetup of util-linux.
type devices struct{ commands exec.Interface }

// backingFile is where the blocks of a volume are. It fails for an id that is none, and for a volume that is gone.
func backingFile(folder, id string) (string, error) {
	if !volumeID.MatchString(id) {
		return "", status.Errorf(codes.InvalidArgument, "Volume ID %q is none of EC2: accepted is vol- and hexadecimal digits", id)
	}
	path := blocks(folder, id)
	if _, err := os.Stat(path); err != nil {
		return "", status.Errorf(codes.NotFound, "Volume %q has no blocks: %v", id, err)
	}
	return path, nil
}

// blocks is the name that EC2's stand-in gives the file of a volume.
func blocks(folder, id string) string { return filepath.Join(folder, id+".img") }

// attach gives the loop device of the file, the existing one if there is one. Direct I/O keeps the blocks from being
// cached twice, once for the file system above and once for the file below.
func (d devices) attach(file string) (string, error) {
	output, err := d.commands.Command("losetup", "--nooverlap", "--direct-io=on", "--find", "--show", file).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("no loop device for %s: %w: %s", file, err, strings.TrimSpace(string(output)))
	}
	return strings.TrimSpace(string(output)), nil
}

// of lists the loop devices whose backing file is that one, also when the file has been deleted meanwhile.
func (d devices) of(file string) ([]string, error) {
	output, err := d.commands.Command("losetup", "--json", "--list", "--output", "NAME,BACK-FILE").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list loop devices: %w", err)
	}
	return parseLoopDevices(output, file)
}

func parseLoopDevices(output []byte, file string) ([]string, error) {
	if len(output) == 0 { // losetup prints nothing at all when there is no device
		return nil, nil
	}
	var list struct {
		Devices []struct {
			Name string `json:"name"`
			File string `json:"back-file"`
		} `json:"loopdevices"`
	}
	if err := json.Unmarshal(output, &list); err != nil {
		return nil, fmt.Errorf("cannot read the list of loop devices: %w", err)
	}
	var names []string
	for _, device := range list.Devices {
		if strings.TrimSuffix(device.File, deletedMark) == file {
			names = append(names, device.Name)
		}
	}
	return names, nil
}

// detach frees every loop device of the file; without one it does nothing.
func (d devices) detach(file string) error {
	names, err := d.of(file)
	if err != nil {
		return err
	}
	for _, name := range names {
		if output, err := d.commands.Command("losetup", "--detach", name).CombinedOutput(); err != nil {
			return fmt.Errorf("cannot free %s: %w: %s", name, err, strings.TrimSpace(string(output)))
		}
	}
	return nil
}

// grow makes the device as large as its file has become.
func (d devices) grow(name string) error {
	if output, err := d.commands.Command("losetup", "--set-capacity", name).CombinedOutput(); err != nil {
		return fmt.Errorf("cannot grow %s: %w: %s", name, err, strings.TrimSpace(string(output)))
	}
	return nil
}
