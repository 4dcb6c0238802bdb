import type { Damage } from "./damage.ts";
import type { InstallEdits } from "./install-edits.ts";

function deploymentIn(namespace: string): object {
  const labels = { "app.kubernetes.io/name": "keyvault-injector", "app.kubernetes.io/component": "sync" };
  const spec = { containers: [{ name: "sync", image: "keyvault-injector" }] };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "keyvault-injector-sync", namespace, labels },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

/** Damages of the Deployments, the worker's rights and its lease. */
export function workerDamages(install: InstallEdits): readonly Damage[] {
  return [
    {
      what: "a Deployment elsewhere that is labelled as one of an instance",
      check: "instances",
      state: "WARN",
      message: /^namespace second has a Deployment with the label of an instance; no ClusterRoleBinding of the worker names/,
      damage: async () => {
        await install.kubectl("create", "namespace", "second");
        await install.apply(deploymentIn("second"));
      },
      repair: () => install.kubectl("delete", "deployment", "keyvault-injector-sync", "-n", "second"),
    },
    {
      what: "the worker's binding moved to another namespace",
      check: "instances",
      state: "FAIL",
      message: /^ClusterRoleBinding keyvault-injector-sync binds the worker of namespace second, not of keyvault-injector$/,
      damage: () => install.bindWorkerOf("second"),
      repair: () => install.bindWorkerOf("keyvault-injector"),
    },
    {
      what: "a Deployment without a ready replica",
      check: "deployments",
      state: "FAIL",
      message: /^keyvault-injector-webhook: 0 of 2/,
      damage: () => install.setStatus("deployment", "keyvault-injector-webhook", { readyReplicas: 0 }),
      repair: () => install.setStatus("deployment", "keyvault-injector-webhook", { readyReplicas: 2 }),
    },
    {
      what: "a Deployment deleted",
      check: "deployments",
      state: "FAIL",
      message: /keyvault-injector-sync is missing$/,
      damage: () => install.deleting("deployment", "keyvault-injector-sync", "-n", "keyvault-injector"),
      repair: async () => {
        await install.putBack();
        await install.setStatus("deployment", "keyvault-injector-sync", { replicas: 2, readyReplicas: 2 });
      },
    },
    {
      what: "the worker's rights taken away",
      check: "rights",
      state: "FAIL",
      message: /^the worker lacks permission to create, patch, delete secrets: no Secret is written$/,
      damage: () => install.deleting("clusterrolebinding", "keyvault-injector-sync"),
      repair: () => install.putBack(),
    },
    {
      what: "an event queue without an identity that there is",
      check: "event-queues",
      state: "FAIL",
      message: /^--event-queues: identity: write one of managed, workload, servicePrincipal$/,
      damage: () => install.setSetting("event-queues", "https://shop.queue.core.windows.net/events;identity=owner"),
      repair: () => install.setSetting("event-queues", ""),
    },
    {
      what: "a class of App Routing that the worker is to serve",
      check: "gateways",
      state: "WARN",
      message: /^IngressClass webapprouting\.kubernetes\.azure\.com belongs to App Routing, the AKS add-on: /,
      damage: () => install.setSetting("ingress-classes", "webapprouting.kubernetes.azure.com"),
      repair: () => install.setSetting("ingress-classes", ""),
    },
    {
      what: "a restart window that cannot be read",
      check: "restarts",
      state: "WARN",
      message: /^Namespace default: keyvault-injector\.dev\/restart-window is not a window, so no restart begins: /,
      damage: () => install.kubectl("annotate", "namespace", "default", "keyvault-injector.dev/restart-window=at night"),
      repair: () => install.kubectl("annotate", "namespace", "default", "keyvault-injector.dev/restart-window-"),
    },
    {
      what: "no lease holder",
      check: "lease",
      state: "FAIL",
      message: /^no worker holds the lease/,
      damage: () =>
        install.kubectl(
          "patch",
          "lease",
          "keyvault-injector-sync",
          "-n",
          "keyvault-injector",
          "--type=merge",
          "-p",
          '{"spec":{"holderIdentity":""}}',
        ),
      repair: () => install.freshLease(),
    },
    {
      what: "a lease that nobody renews",
      check: "lease",
      state: "FAIL",
      message: /^somebody has not renewed it for \d+ s/,
      damage: () => install.freshLease("2020-01-01T00:00:00.000000Z"),
      repair: () => install.freshLease(),
    },
  ];
}
