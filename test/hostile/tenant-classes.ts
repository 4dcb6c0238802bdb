import { CLASS_ANNOTATIONS } from "../../src/domain/annotations.ts";
import type { SecretObject } from "../../src/domain/kubernetes.ts";
import { classOf, createClass, opaque, send } from "../support/worker/sync-world.ts";
import type { HostileWorld, Tenant } from "./world.ts";

const CLASSES = "/apis/secrets-store.csi.x-k8s.io/v1";

export interface TenantClass {
  readonly name: string;
  /** Vault of the class. Default: the tenant's own. */
  readonly vault?: string;
  readonly tenantId?: string;
  readonly objects: readonly (string | Readonly<Record<string, string>>)[];
  readonly secretObjects?: readonly SecretObject[];
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Creates a class that its owner may write, with any effect on others. The worker polls it as often as the product allows. */
export async function hostileClass(world: HostileWorld, tenant: Tenant, wanted: TenantClass): Promise<void> {
  const { name, vault = tenant.vault, tenantId = tenant.tenantId, objects, parameters = {} } = wanted;
  const names = objects.map((object) => (typeof object === "string" ? object : (object["objectName"] ?? "")));
  const secretObjects = wanted.secretObjects ?? names.map((object) => opaque(`${name}-${object}`, object));
  const annotations = { [CLASS_ANNOTATIONS.rotationPollInterval]: "10s" };
  await createClass(
    world.plane,
    classOf({ vault, tenantId }, { namespace: tenant.namespace, name, objects, secretObjects, parameters, annotations }),
  );
}

/** Deletes all classes of a tenant. */
export async function removeClasses({ plane }: HostileWorld, { namespace }: Tenant): Promise<void> {
  await send(plane, { method: "DELETE", path: `${CLASSES}/namespaces/${namespace}/secretproviderclasses` });
}

export function classNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `class-${index}`);
}
