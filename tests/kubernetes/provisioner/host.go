package main

import (
	"fmt"

	clientset "k8s.io/client-go/kubernetes"
	proxyutil "k8s.io/kubernetes/pkg/proxy/util"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/glusterfs"
)

// host is what kube-controller-manager is to the plug-in. Of the large interface only these two methods are called on
// the paths that we drive; any other would panic, and so show that this is no longer true.
type host struct {
	volume.VolumeHost
	cluster clientset.Interface
}

func (h *host) GetKubeClient() clientset.Interface { return h.cluster }

// GetFilteredDialOptions must not be nil: only then does the plug-in make a transport, and thus a connection, for each
// request, as every kube-controller-manager since 1.20 does.
func (h *host) GetFilteredDialOptions() *proxyutil.FilteredDialOptions {
	return &proxyutil.FilteredDialOptions{AllowLocalLoopback: true}
}

// plugin is the three faces of the plug-in that the controllers use.
type plugin interface {
	volume.ProvisionableVolumePlugin
	volume.DeletableVolumePlugin
	volume.ExpandableVolumePlugin
}

func newPlugin(cluster clientset.Interface) (plugin, error) {
	found := glusterfs.ProbeVolumePlugins()
	if len(found) != 1 {
		return nil, fmt.Errorf("%d plug-ins instead of one", len(found))
	}
	p, ok := found[0].(plugin)
	if !ok {
		return nil, fmt.Errorf("%s cannot provision, delete and expand", found[0].GetPluginName())
	}
	return p, p.Init(&host{cluster: cluster})
}
