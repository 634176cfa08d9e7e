package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubernetes/pkg/volume"
)

var ctx = context.Background()

// story is a case being played.
type story struct {
	Case
	cluster *fake.Clientset
	plugin  plugin
	tap     *Tap
	results []StepResult
	first   int // our connections in the tap: from here
	last    int // to before here
}

func newStory(c Case, tap *Tap) (*story, error) {
	cluster, err := newCluster(c.Objects)
	if err != nil {
		return nil, err
	}
	plugin, err := newPlugin(cluster)
	if err != nil {
		return nil, err
	}
	return &story{Case: c, cluster: cluster, plugin: plugin, tap: tap, results: make([]StepResult, len(c.Steps))}, nil
}

// tell plays the case to its end; a failed step does not stop it, since the controllers, too, come again.
func (s *story) tell() {
	s.first = s.tap.count()
	var running sync.WaitGroup
	for i, step := range s.Steps {
		if !s.AtOnce {
			s.tap.begin(i, step.Lose)
			s.results[i] = s.take(step)
			continue
		}
		running.Add(1)
		s.tap.begin(-1, nil)
		go func(i int, step Step) {
			defer running.Done()
			s.results[i] = s.take(step)
		}(i, step)
	}
	running.Wait()
	s.last = s.tap.count()
}

func (s *story) take(step Step) StepResult {
	result := StepResult{Do: step.Do, Claim: step.Claim}
	began := time.Now()
	size, err := s.do(step)
	result.Seconds = time.Since(began).Seconds()
	result.Size = size
	if err != nil {
		result.Error = err.Error()
	}
	return result
}

func (s *story) do(step Step) (string, error) {
	namespace, name, ok := strings.Cut(step.Claim, "/")
	if !ok {
		return "", fmt.Errorf("a claim is namespace/name, not %q", step.Claim)
	}
	switch step.Do {
	case "provision":
		return s.provision(namespace, name)
	case "expand":
		return s.expand(namespace, name, step.To)
	case "delete":
		return "", s.delete(namespace, name)
	}
	return "", fmt.Errorf("unknown step %q", step.Do)
}

// provision does what the persistent volume controller does for a claim of a class.
func (s *story) provision(namespace, name string) (string, error) {
	claim, err := s.cluster.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if claim.Spec.StorageClassName == nil {
		return "", errors.New("the claim names no class")
	}
	class, err := s.cluster.StorageV1().StorageClasses().Get(ctx, *claim.Spec.StorageClassName, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	reclaim := v1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	provisioner, err := s.plugin.NewProvisioner(volume.VolumeOptions{
		PersistentVolumeReclaimPolicy: reclaim,
		MountOptions:                  class.MountOptions,
		PVName:                        "pvc-" + string(claim.UID),
		PVC:                           claim,
		Parameters:                    class.Parameters,
	})
	if err != nil {
		return "", err
	}
	pv, err := provisioner.Provision(nil, nil)
	if err != nil {
		return "", err
	}
	return s.bind(pv, claim, class.Name)
}

// bind stores the new volume as the controller does, which refuses one without a path.
func (s *story) bind(pv *v1.PersistentVolume, claim *v1.PersistentVolumeClaim, class string) (string, error) {
	if pv.Spec.Glusterfs.Path == "" {
		return "", errors.New("the API server would refuse a volume without a path")
	}
	pv.Name = "pvc-" + string(claim.UID)
	pv.Annotations["pv.kubernetes.io/provisioned-by"] = s.plugin.GetPluginName()
	pv.Spec.StorageClassName = class
	pv.Spec.ClaimRef = &v1.ObjectReference{
		Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
	}
	if _, err := s.cluster.CoreV1().PersistentVolumes().Create(ctx, pv, metav1.CreateOptions{}); err != nil {
		return "", err
	}
	claim = claim.DeepCopy()
	claim.Spec.VolumeName = pv.Name
	claim.Status.Phase = v1.ClaimBound
	claim.Status.Capacity = pv.Spec.Capacity
	_, err := s.cluster.CoreV1().PersistentVolumeClaims(claim.Namespace).Update(ctx, claim, metav1.UpdateOptions{})
	return capacityOf(pv), err
}

// expand does what the expand controller does for a claim that asks for more than it has.
func (s *story) expand(namespace, name, to string) (string, error) {
	wanted, err := resource.ParseQuantity(to)
	if err != nil {
		return "", err
	}
	claim, err := s.cluster.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	pv, err := s.volumeOf(namespace, name)
	if err != nil {
		return "", err
	}
	// The old size is Kubernetes' idea of it, not the server's.
	old := claim.Status.Capacity[v1.ResourceStorage]
	grown, err := s.plugin.ExpandVolumeDevice(volume.NewSpecFromPersistentVolume(pv, false), wanted, old)
	if err != nil {
		return capacityOf(pv), err
	}
	pv, claim = pv.DeepCopy(), claim.DeepCopy()
	pv.Spec.Capacity = v1.ResourceList{v1.ResourceStorage: grown}
	claim.Status.Capacity = pv.Spec.Capacity
	if _, err = s.cluster.CoreV1().PersistentVolumes().Update(ctx, pv, metav1.UpdateOptions{}); err != nil {
		return "", err
	}
	_, err = s.cluster.CoreV1().PersistentVolumeClaims(namespace).Update(ctx, claim, metav1.UpdateOptions{})
	return capacityOf(pv), err
}

// delete does what the persistent volume controller does with a released volume.
func (s *story) delete(namespace, name string) error {
	pv, err := s.volumeOf(namespace, name)
	if err != nil {
		return err
	}
	deleter, err := s.plugin.NewDeleter(volume.NewSpecFromPersistentVolume(pv, false))
	if err != nil {
		return err
	}
	if err := deleter.Delete(); err != nil {
		return err
	}
	return s.cluster.CoreV1().PersistentVolumes().Delete(ctx, pv.Name, metav1.DeleteOptions{})
}

func (s *story) volumeOf(namespace, claim string) (*v1.PersistentVolume, error) {
	pvs, err := s.cluster.CoreV1().PersistentVolumes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range pvs.Items {
		if ref := pvs.Items[i].Spec.ClaimRef; ref != nil && ref.Namespace == namespace && ref.Name == claim {
			return &pvs.Items[i], nil
		}
	}
	return nil, fmt.Errorf("no volume of claim %s/%s", namespace, claim)
}

func (s *story) result() (Result, error) {
	objects, err := manifestsOf(s.cluster)
	if err != nil {
		return Result{}, err
	}
	exchanges, connections := s.tap.report(s.first, s.last)
	return Result{Name: s.Name, Steps: s.results, Objects: objects, Exchanges: exchanges, Connections: connections}, nil
}

func capacityOf(pv *v1.PersistentVolume) string {
	capacity := pv.Spec.Capacity[v1.ResourceStorage]
	return capacity.String()
}
