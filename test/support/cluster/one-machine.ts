import { at, listAt, type Manifest } from "./shipped-manifests.ts";

/**
 * Changes the shipped manifests for one machine without a node. These are all changes, with their reasons.
 *
 * Service: without pods and kube-proxy, it becomes an alias of this machine's loopback. The API server then dials `127.0.0.1`, but still
 * requires a certificate for `keyvault-injector-webhook.<namespace>.svc`, as in a cluster.
 * Webhook configurations: an alias has no port mapping, so that the port is the process's own, which is any free one.
 * Deployments: scaled to 0, because the two processes run next to the API server instead of in pods.
 * Policies for the objects that the worker heals: they accept that Service and that port instead of the shipped ones.
 */
export function onOneMachine(manifests: readonly Manifest[], admissionPort: number): readonly Manifest[] {
  return manifests.map((manifest) => {
    if (manifest.kind === "Service") return { ...manifest, spec: { type: "ExternalName", externalName: "127.0.0.1" } };
    if (manifest.kind === "Deployment") return { ...manifest, spec: { ...(at(manifest, "spec") as object), replicas: 0 } };
    if (manifest.kind === "MutatingWebhookConfiguration" || manifest.kind === "ValidatingWebhookConfiguration") {
      return withPort(manifest, admissionPort);
    }
    if (manifest.kind === "ValidatingAdmissionPolicy") return withOneMachine(manifest, admissionPort);
    return manifest;
  });
}

/** Parts of the policies about the shipped Service and port that this file replaces. */
const SHIPPED = {
  port: "webhook.clientConfig.service.?port.orValue(443) == 443",
  fields: "'internalTrafficPolicy', 'sessionAffinity']",
  needed: "['selector', 'ports'].all(field, field in variables.spec ||",
} as const;

function withOneMachine(manifest: Manifest, port: number): Manifest {
  const here = {
    port: `webhook.clientConfig.service.?port.orValue(443) == ${port}`,
    fields: "'internalTrafficPolicy', 'sessionAffinity', 'type', 'externalName']",
    needed: "[].all(field, field in variables.spec ||",
  };
  const spec = JSON.stringify(manifest["spec"]);
  const changed = Object.entries(SHIPPED).reduce((text, [name, shipped]) => text.replace(shipped, here[name as keyof typeof here]), spec);
  return { ...manifest, spec: JSON.parse(changed) as unknown };
}

interface Webhook {
  readonly clientConfig: { readonly service: object };
}

function withPort(manifest: Manifest, port: number): Manifest {
  const webhooks = at(manifest, "webhooks") as readonly Webhook[]; // Our own manifest, checked by its tests.
  return {
    ...manifest,
    webhooks: webhooks.map((webhook) => ({ ...webhook, clientConfig: { service: { ...webhook.clientConfig.service, port } } })),
  };
}

/** Arguments of a shipped Deployment's container, after the subcommand. */
export function shippedArguments(manifests: readonly Manifest[], deployment: string): readonly string[] {
  return listAt(deploymentNamed(manifests, deployment), "spec", "template", "spec", "containers", 0, "args").map(String);
}

/** Node's options of a shipped Deployment's container. */
export function shippedNodeFlags(manifests: readonly Manifest[], deployment: string): readonly string[] {
  const command = listAt(deploymentNamed(manifests, deployment), "spec", "template", "spec", "containers", 0, "command").map(String);
  return command.filter((part) => part.startsWith("--"));
}

/** Variables of a shipped Deployment's container that have a value. */
export function shippedVariables(manifests: readonly Manifest[], deployment: string): Readonly<Record<string, string>> {
  const variables = listAt(deploymentNamed(manifests, deployment), "spec", "template", "spec", "containers", 0, "env");
  return Object.fromEntries(
    variables.flatMap((variable) => {
      const [name, value] = [at(variable, "name"), at(variable, "value")];
      return typeof name === "string" && typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

function deploymentNamed(manifests: readonly Manifest[], name: string): Manifest {
  const found = manifests.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === name);
  if (found === undefined) throw new Error(`no Deployment ${name} in the manifests`);
  return found;
}
