package controller

import (
	"fmt"
	"hash/fnv"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/labels"
	translation "k8s.io/csi-translation-lib"
	"k8s.io/klog/v2"
)

var everything = labels.Everything()

// csiSource gives the driver's part of a volume, also of one that was made with the in-tree plugin's names.
func csiSource(volume *corev1.PersistentVolume) (*corev1.CSIPersistentVolumeSource, error) {
	if volume.Spec.AWSElasticBlockStore != nil {
		translated, err := translation.New().TranslateInTreePVToCSI(klog.Background(), volume)
		if err != nil {
			return nil, fmt.Errorf("cannot translate volume %s to CSI: %w", volume.Name, err)
		}
		volume = translated
	}
	if volume.Spec.CSI == nil || volume.Spec.CSI.Driver != DriverName {
		return nil, fmt.Errorf("volume %s is not of driver %s", volume.Name, DriverName)
	}
	return volume.Spec.CSI, nil
}

// driverOn gives the driver's entry in a CSINode, nil when its node plugin is not registered there.
func driverOn(csiNode *storagev1.CSINode) *storagev1.CSINodeDriver {
	index := slices.IndexFunc(csiNode.Spec.Drivers, func(driver storagev1.CSINodeDriver) bool {
		return driver.Name == DriverName && slices.Contains(driver.TopologyKeys, TopologyKey)
	})
	if index < 0 {
		return nil
	}
	return &csiNode.Spec.Drivers[index]
}

// spread picks one of n by name, so that the volumes of a set do not all land in one zone.
func spread(name string, n int) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // never fails
	return int(hash.Sum32() % uint32(n))
}
