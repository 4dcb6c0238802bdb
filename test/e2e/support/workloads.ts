import { SECRET_FILE } from "./document-walk.ts";
import { SHELL_IMAGE } from "./node-images.ts";

/** The only two annotations that a workload needs. */
export const ANNOTATIONS = {
  "keyvault-injector.dev/inject": "true",
  "keyvault-injector.dev/secret-provider-class": "akvprovider-demo",
} as const;

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly [field: string]: unknown;
}

export const READ_SECRET = `cat ${SECRET_FILE}`;

/** A container that ends with its script. */
export function shell(name: string, script: string, more: Readonly<Record<string, unknown>> = {}): Container {
  return { name, image: SHELL_IMAGE, command: ["sh", "-ec", script], ...more };
}

/** Fails if it cannot read its secret, otherwise keeps running. Process 1 ignores SIGTERM unless it traps it. */
export function reader(name = "reader", more: Readonly<Record<string, unknown>> = {}): Container {
  return shell(name, `${READ_SECRET}; trap 'exit 0' TERM; sleep 10000 & wait`, more);
}

export interface PodParts {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly restartPolicy?: "Never";
  readonly serviceAccountName?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Opts in unless other annotations are given. */
export function podTemplate(app: string, { annotations = ANNOTATIONS, ...spec }: PodParts): object {
  return { metadata: { labels: { app }, annotations }, spec };
}

export function pod(name: string, parts: PodParts): object {
  const { metadata, spec } = podTemplate(name, parts) as { metadata: object; spec: object }; // Built above.
  return { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, name }, spec };
}

export function replicated(kind: "Deployment" | "StatefulSet", name: string): object {
  const template = podTemplate(name, { containers: [reader()] });
  return { apiVersion: "apps/v1", kind, metadata: { name }, spec: { replicas: 1, selector: { matchLabels: { app: name } }, template } };
}

export function job(name: string): object {
  const template = podTemplate(name, { containers: [shell("reader", READ_SECRET)], restartPolicy: "Never" });
  return { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { backoffLimit: 0, template } };
}
