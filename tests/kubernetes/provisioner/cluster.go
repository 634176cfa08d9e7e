package main

import (
	"encoding/json"
	"fmt"
	"net"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/testing"
)

// newCluster is client-go's in-memory API, with the few habits of a real API server that the plug-in meets.
func newCluster(manifests []json.RawMessage) (*fake.Clientset, error) {
	objects := make([]runtime.Object, 0, len(manifests))
	for _, m := range manifests {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(m, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("object %.60s: %w", m, err)
		}
		if err := admit(object); err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	cluster := fake.NewSimpleClientset(objects...)
	cluster.PrependReactor("update", "endpoints", refuseUnroutable)
	return cluster, nil
}

// admit fills in what an API server fills in.
func admit(object runtime.Object) error {
	m, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	if m.GetUID() == "" {
		m.SetUID(uuid.NewUUID())
	}
	switch o := object.(type) {
	case *v1.Secret:
		for key, text := range o.StringData {
			if o.Data == nil {
				o.Data = map[string][]byte{}
			}
			o.Data[key] = []byte(text)
		}
		o.StringData = nil
		defaultNamespace(m)
	case *v1.PersistentVolumeClaim:
		defaultNamespace(m)
	}
	return nil
}

func defaultNamespace(m metav1.Object) {
	if m.GetNamespace() == "" {
		m.SetNamespace(metav1.NamespaceDefault)
	}
}

// refuseUnroutable turns down the addresses that a real API server refuses in Endpoints. The plug-in answers by taking
// its new volume back, which the in-memory API alone would never show.
func refuseUnroutable(action testing.Action) (bool, runtime.Object, error) {
	endpoints := action.(testing.UpdateAction).GetObject().(*v1.Endpoints)
	for _, subset := range endpoints.Subsets {
		for _, address := range subset.Addresses {
			ip := net.ParseIP(address.IP)
			if ip == nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsLinkLocalMulticast() || ip.IsUnspecified() {
				return true, nil, fmt.Errorf("Endpoints %q is invalid: address %q", endpoints.Name, address.IP)
			}
		}
	}
	return false, nil, nil
}

// manifestsOf is all that is in the cluster, in the form in which a case takes it.
func manifestsOf(cluster *fake.Clientset) ([]json.RawMessage, error) {
	everything := metav1.ListOptions{}
	lists := []func() (runtime.Object, error){
		func() (runtime.Object, error) { return cluster.StorageV1().StorageClasses().List(ctx, everything) },
		func() (runtime.Object, error) { return cluster.CoreV1().Secrets("").List(ctx, everything) },
		func() (runtime.Object, error) { return cluster.CoreV1().PersistentVolumes().List(ctx, everything) },
		func() (runtime.Object, error) {
			return cluster.CoreV1().PersistentVolumeClaims("").List(ctx, everything)
		},
		func() (runtime.Object, error) { return cluster.CoreV1().Endpoints("").List(ctx, everything) },
		func() (runtime.Object, error) { return cluster.CoreV1().Services("").List(ctx, everything) },
	}
	manifests := []json.RawMessage{}
	for _, list := range lists {
		found, err := list()
		if err != nil {
			return nil, err
		}
		items, err := meta.ExtractList(found)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			kinds, _, err := scheme.Scheme.ObjectKinds(item)
			if err != nil {
				return nil, err
			}
			item.GetObjectKind().SetGroupVersionKind(kinds[0])
			manifest, err := json.Marshal(item)
			if err != nil {
				return nil, err
			}
			manifests = append(manifests, manifest)
		}
	}
	return manifests, nil
}
