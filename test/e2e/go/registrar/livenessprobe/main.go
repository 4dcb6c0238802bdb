// Command livenessprobe answers GET /healthz by asking the CSI driver's Probe, as the livenessprobe
// sidecar does. The flags are the sidecar's, so that a DaemonSet written for it runs unchanged.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func main() {
	address := flag.String("csi-address", "/csi/csi.sock", "the CSI driver's socket")
	timeout := flag.Duration("probe-timeout", time.Second, "how long the driver may take")
	endpoint := flag.String("http-endpoint", "0.0.0.0:9808", "where /healthz is served")
	flag.Int("v", 0, "accepted and ignored")
	flag.Parse()

	connection, err := grpc.NewClient("unix://"+*address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	identity := csi.NewIdentityClient(connection)
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), *timeout)
		defer cancel()
		answer, err := identity.Probe(ctx, &csi.ProbeRequest{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		// An absent answer means ready, says the CSI specification.
		if ready := answer.GetReady(); ready != nil && !ready.GetValue() {
			http.Error(w, "the driver is not ready", http.StatusInternalServerError)
		}
	})
	log.Fatal(http.ListenAndServe(*endpoint, nil))
}
