package node

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	ext4 = "ext4"
	xfs  = "xfs"

	capSysResource = 24 // number of CAP_SYS_RESOURCE in capability.h
)

// canGrowExt4 says whether these effective capabilities let resize2fs grow a mounted file system.
func canGrowExt4(effective uint64) bool { return effective>>capSysResource&1 == 1 }

// capabilities reads the effective capabilities of a process from its status file.
func capabilities(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("cannot read the capabilities: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if digits, found := strings.CutPrefix(line, "CapEff:"); found {
			return strconv.ParseUint(strings.TrimSpace(digits), 16, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line CapEff", path)
}

// fileSystem is the one that stands for what the claim asks for: itself, but xfs where the machine may not grow ext4.
func fileSystem(asked string, ext4Grows bool) (string, error) {
	switch asked {
	case "", ext4:
		if ext4Grows {
			return ext4, nil
		}
		return xfs, nil
	case xfs:
		return xfs, nil
	default:
		return "", status.Errorf(codes.InvalidArgument, "Invalid fstype %q; accepted are ext4 and xfs", asked)
	}
}

// mountOptions are those of the real driver: xfs refuses a second file system with the same UUID, which a copy has.
func mountOptions(fsType string, asked []string, readOnly bool) []string {
	options := append([]string{}, asked...)
	if fsType == xfs {
		options = append(options, "nouuid")
	}
	if readOnly {
		options = append(options, "ro")
	}
	return options
}
