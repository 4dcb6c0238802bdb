import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { KubeObject, Resource } from "../../../src/domain/kubernetes.ts";
import type { KubeClient } from "../../../src/domain/ports/kube-client.ts";
import type { KubeWatcher } from "../../../src/domain/ports/kube-watcher.ts";
import type { Logger } from "../../../src/domain/ports/logger.ts";
import { createKubeClient } from "../../../src/kube/client.ts";
import type { PooledKubeConfig } from "../../../src/kube/config.ts";
import { loadKubeConfig } from "../../../src/kube/load-config.ts";
import { createKubeWatcher, type KubeWatcherOptions } from "../../../src/kube/reflector.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { startTcpProxy, type TcpProxy } from "../processes/tcp-proxy.ts";
import { recordingLogger } from "../worker/recording-logger.ts";
import type { ControlPlane } from "./control-plane.ts";

/** Our own client and watcher on a test control plane. */
export interface KubeAccess {
  readonly config: PooledKubeConfig;
  readonly client: KubeClient;
  watcher(options?: Partial<KubeWatcherOptions>): KubeWatcher;
}

export function kubeAccess(kubeconfig: string, logger: Logger = recordingLogger()): KubeAccess {
  const config = loadKubeConfig({ kubeconfig });
  const userAgent = "keyvault-injector-test";
  return {
    config,
    client: createKubeClient(config, { userAgent }),
    watcher: (options) => createKubeWatcher(config, { userAgent, clock: systemClock, logger, random: Math.random, ...options }),
  };
}

/** A kubeconfig for the same access through a proxy that the test controls. */
export async function proxiedKubeconfig(plane: ControlPlane): Promise<{ readonly proxy: TcpProxy; readonly kubeconfig: string }> {
  const { hostname, port } = new URL(plane.server);
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) });
  const kubeconfig = path.join(plane.directory, `proxied-${proxy.port}.kubeconfig`);
  writeFileSync(kubeconfig, readFileSync(plane.kubeconfigPath, "utf8").replaceAll(plane.server, `https://127.0.0.1:${proxy.port}`), {
    mode: 0o600,
  });
  return { proxy, kubeconfig };
}

export const CONFIG_MAPS: Resource = { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap", namespaced: true };

export const WIDGETS: Resource = {
  group: "test.keyvault-injector.dev",
  version: "v1",
  plural: "widgets",
  kind: "Widget",
  namespaced: true,
};

export interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number; readonly colour?: string };
}

/** A CRD whose schema contains fields that typed clients lose: `default`, `enum`, `x-kubernetes-*`. */
export function widgetDefinition(fields: readonly ("size" | "colour")[] = ["size", "colour"]): KubeObject {
  const properties = {
    size: { type: "integer", default: 3, enum: [3, 4] },
    colour: { type: "string", "x-kubernetes-validations": [{ rule: "self != 'black'", message: "not black" }] },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  };
  const kept = Object.fromEntries(Object.entries(properties).filter(([name]) => name === "free" || fields.some((field) => field === name)));
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.test.keyvault-injector.dev" },
    spec: {
      group: "test.keyvault-injector.dev",
      names: { kind: "Widget", listKind: "WidgetList", plural: "widgets", singular: "widget" },
      scope: "Namespaced",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: kept } } } },
        },
      ],
    },
  };
  return definition;
}

export function widget(name: string, spec: Widget["spec"] = { size: 3 }): Widget {
  return { apiVersion: "test.keyvault-injector.dev/v1", kind: "Widget", metadata: { namespace: "default", name }, spec };
}
