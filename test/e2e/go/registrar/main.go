// Command registrar tells the kubelet of a CSI driver, as the node-driver-registrar sidecar does: it
// serves the kubelet's plugin-registration service on a socket in the kubelet's registry folder.
// The flags are the sidecar's, so that a DaemonSet written for it runs unchanged.
package main

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"log"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type server struct {
	registration.UnsafeRegistrationServer
	info *registration.PluginInfo
}

func (s *server) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return s.info, nil
}

func (s *server) NotifyRegistrationStatus(_ context.Context, status *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if !status.PluginRegistered {
		log.Fatalf("the kubelet refused the registration: %s", status.Error)
	}
	log.Printf("registered %s", s.info.Name)
	return &registration.RegistrationStatusResponse{}, nil
}

func main() {
	address := flag.String("csi-address", "/csi/csi.sock", "the CSI driver's socket")
	kubeletPath := flag.String("kubelet-registration-path", "", "the same socket as the kubelet sees it")
	folder := flag.String("plugin-registration-path", "/registration", "the kubelet's registry folder")
	flag.Int("v", 0, "accepted and ignored")
	flag.Parse()

	name := driverName(*address)
	socket := filepath.Join(*folder, name+"-reg.sock")
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Fatal(err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		log.Fatal(err)
	}
	info := &registration.PluginInfo{Type: registration.CSIPlugin, Name: name, Endpoint: *kubeletPath, SupportedVersions: []string{"1.0.0"}}
	service := grpc.NewServer()
	registration.RegisterRegistrationServer(service, &server{info: info})
	log.Fatal(service.Serve(listener))
}

// driverName waits for the driver, which starts at the same time, and asks for its name.
func driverName(socket string) string {
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		answer, err := csi.NewIdentityClient(connection).GetPluginInfo(ctx, &csi.GetPluginInfoRequest{})
		if err == nil {
			return answer.GetName()
		}
		select {
		case <-ctx.Done():
			log.Fatalf("no driver at %s: %v", socket, err)
		case <-time.After(200 * time.Millisecond):
			connection.ResetConnectBackoff()
		}
	}
}
