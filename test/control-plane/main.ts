// `npm run control-plane`: a real API server to try things on, until Ctrl-C.

import { scriptArguments } from "../../tools/script-arguments.ts";
import { untilInterrupted } from "../../tools/until-interrupted.ts";
import { startControlPlane } from "../support/cluster/control-plane.ts";

scriptArguments("npm run control-plane", { options: {} });
const plane = await startControlPlane();
console.log(`# kube-apiserver, etcd and kube-controller-manager at ${plane.server}; Ctrl-C stops them and removes their state`);
console.log(`export KUBECONFIG=${plane.kubeconfigPath}`);
await untilInterrupted();
await plane.stop();
