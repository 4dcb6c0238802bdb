/** The webhook's live copies of classes and Namespaces, kept by the webhook's code in a process of its own. */
import { createServer } from "node:http";
import type { KubeObject } from "../../../src/domain/kubernetes.ts";
import type { Reflector } from "../../../src/domain/ports/kube-watcher.ts";
import { loadKubeConfig } from "../../../src/kube/load-config.ts";
import { createKubeWatcher } from "../../../src/kube/reflector.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { aborted } from "../../../src/runtime/lifecycle.ts";
import { type ClassCopy, reflectClasses } from "../../../src/webhook/class-copy.ts";
import { reflectNamespaces } from "../../../src/webhook/namespace-lookup.ts";
import type { RunProcess } from "../machines/process.ts";

/** The copies of the running process. */
export interface LiveCopies {
  classes: ClassCopy | undefined;
  namespaces: Pick<Reflector<KubeObject>, "get"> | undefined;
}

export function copying(copies: LiveCopies): RunProcess {
  return async ({ config, logger }, signal) => {
    const kubeConfig = loadKubeConfig({ kubeconfig: config.kubeconfig });
    const client = { clock: systemClock, logger, random: Math.random, userAgent: "keyvault-injector-webhook/simulated" };
    const watcher = createKubeWatcher(kubeConfig, client);
    const [classes, namespaces] = [reflectClasses(watcher, signal), reflectNamespaces(watcher, signal)];
    Object.assign(copies, { classes, namespaces });
    // The kubelet probes whether the process is alive.
    createServer((_, response) => {
      response.writeHead(200);
      response.end("ok");
    }).listen({ port: 1 });
    await aborted(signal);
  };
}
