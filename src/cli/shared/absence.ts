import { type KubeObject, type ObjectRef, RESOURCES } from "../../domain/kubernetes.ts";
import { nearestSpelling } from "../../domain/spelling.ts";
import { parseReference } from "../../domain/where/object-reference.ts";
import { CommandFailure } from "./command.ts";
import { targetResource } from "./resources.ts";
import { listed, type Viewer } from "./viewer.ts";

export const NO_CLASSES_SERVED =
  "the API server serves no secretproviderclasses, so there are none: keyvault-injector doctor says what is not installed";

/** Refuses a namespace that is not there, which would look like one in which nothing is wrong. Who may not get Namespaces is let on. */
export async function assertNamespace(viewer: Viewer, name: string | undefined): Promise<void> {
  const problem = name === undefined ? undefined : await namespaceProblem(viewer, name);
  if (problem !== undefined) throw new CommandFailure(problem);
}

async function namespaceProblem(viewer: Viewer, name: string): Promise<string | undefined> {
  const look = await viewer.object<KubeObject>(RESOURCES.namespaces, { name });
  if (look.kind !== "absent") return undefined;
  return `there is no namespace ${name}${meant(name, listed(await viewer.all<KubeObject>(RESOURCES.namespaces)))}`;
}

/** Why there is no such class: its namespace is not there, or another class, or another object, is meant. */
export async function classAbsence(viewer: Viewer, { namespace, name }: Required<ObjectRef>): Promise<string> {
  const problem = await namespaceProblem(viewer, namespace);
  if (problem !== undefined) return otherObject(namespace, name) ?? problem;
  const others = listed(await viewer.all<KubeObject>(RESOURCES.secretProviderClasses, { namespace }));
  return `there is no SecretProviderClass ${namespace}/${name}${meant(name, others)}`;
}

/** What `deployment/web` and `secret/db-pass` are, where no namespace has that name. */
function otherObject(kind: string, name: string): string | undefined {
  const word = `${kind}/${name}`;
  const resource = targetResource(kind);
  if (resource !== undefined)
    return `${JSON.stringify(word)} names a ${resource.kind}, and no class; write CLASS, NAMESPACE/CLASS or spc/CLASS`;
  if (!parseReference(word).ok) return undefined;
  return `${JSON.stringify(word)} names an object of a vault, and no class: keyvault-injector where ${word} names the classes that have it`;
}

function meant(name: string, others: readonly KubeObject[]): string {
  const near = nearestSpelling(
    name,
    others.map(({ metadata }) => metadata.name),
  );
  return near === undefined ? "" : `; did you mean ${near}?`;
}
