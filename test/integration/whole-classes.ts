// A process that keeps whole classes: the control for a test of how little memory the classes need. Argument: a kubeconfig.
import { type KubeObject, RESOURCES } from "../../src/domain/kubernetes.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { createKubeWatcher } from "../../src/kube/reflector.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const [kubeconfig = ""] = process.argv.slice(2);
const options = { userAgent: "control", clock: systemClock, logger: recordingLogger(), random: Math.random, pageSize: 10 };
const watcher = createKubeWatcher(loadKubeConfig({ kubeconfig }), options);
const { signal } = new AbortController();
const copy = watcher.reflect<KubeObject>({ resource: RESOURCES.secretProviderClasses, project: (object) => object }, signal);
await copy.synced(signal);
