// `npm run control-plane`: a real API server to try things on, until Ctrl-C.
import { startControlPlane } from "../test/support/control-plane.ts";

const plane = await startControlPlane();
console.log(`# kube-apiserver, etcd and kube-controller-manager at ${plane.server}; Ctrl-C stops them and removes their state`);
console.log(`export KUBECONFIG=${plane.kubeconfigPath}`);
await new Promise<void>((resolve) => {
  const keepAlive = setInterval(() => undefined, 3_600_000);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      clearInterval(keepAlive);
      resolve();
    });
  }
});
await plane.stop();
