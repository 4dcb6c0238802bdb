import { CLASS_ANNOTATIONS, MADE_FOR } from "../annotations.ts";
import { canonical } from "../healing/snapshot.ts";
import { apiVersionOf, type OwnerReference, RESOURCES, type SecretProviderClass } from "../kubernetes.ts";
import type { HeldClass } from "../provider-class/held-class.ts";
import type { CertificateAddress } from "./certificate-address.ts";
import type { CertificateReader } from "./class-identity.ts";
import type { TlsOwner } from "./tls-owner.ts";

const TLS_TYPE = "kubernetes.io/tls";

export interface DesiredClass {
  readonly owner: TlsOwner;
  /** Name of the class and of its Secret. */
  readonly name: string;
  readonly address: CertificateAddress;
  readonly identity: CertificateReader;
}

/** Returns the class that syncs a certificate from a vault into a Secret that Gateways and Ingresses can use. */
export function desiredClass({ owner, name, address, identity }: DesiredClass): SecretProviderClass {
  const { namespace = "", name: ownerName } = owner.object.metadata;
  const { keyvaultName, cloudName, objectName } = address;
  return {
    apiVersion: apiVersionOf(RESOURCES.secretProviderClasses),
    kind: RESOURCES.secretProviderClasses.kind,
    metadata: {
      namespace,
      name,
      labels: { [MADE_FOR]: owner.kind },
      annotations: {
        [MADE_FOR]: ownerName,
        // No pod mounts the class, so with another --sync-mode it would have no Secret.
        [CLASS_ANNOTATIONS.sync]: "always",
        ...(identity.account === undefined ? {} : { [CLASS_ANNOTATIONS.serviceAccount]: identity.account }),
      },
      ownerReferences: [ownerReference(owner)],
    },
    spec: {
      provider: "azure",
      parameters: { keyvaultName, cloudName, ...identity.parameters, objects: objectsOf(address) },
      secretObjects: [{ secretName: name, type: TLS_TYPE, data: ["tls.key", "tls.crt"].map((key) => ({ objectName, key })) }],
    },
  };
}

/** Lists the secret with the name of the certificate, which contains the certificate and its key. */
function objectsOf({ objectName, objectVersion }: CertificateAddress): string {
  const version = objectVersion === undefined ? "" : `    objectVersion: ${JSON.stringify(objectVersion)}\n`;
  return `array:\n  - |\n    objectName: ${JSON.stringify(objectName)}\n    objectType: secret\n${version}`;
}

function ownerReference({ object: { apiVersion, kind, metadata } }: TlsOwner): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", controller: true };
}

/** Whether a class has all parts of the desired one. Others may have added labels and annotations, which remain theirs. */
export function isAsDesired({ metadata, spec }: HeldClass, desired: SecretProviderClass): boolean {
  const wanted = desired.metadata;
  const has = (all: Readonly<Record<string, string>> = {}, some: Readonly<Record<string, string>> = {}): boolean =>
    Object.entries(some).every(([key, value]) => all[key] === value);
  const owners = new Set((metadata.ownerReferences ?? []).map(({ uid }) => uid));
  return (
    canonical(spec) === canonical(desired.spec) &&
    has(metadata.labels, wanted.labels) &&
    has(metadata.annotations, wanted.annotations) &&
    // The class may have named an account that is no longer wanted.
    metadata.annotations?.[CLASS_ANNOTATIONS.serviceAccount] === wanted.annotations?.[CLASS_ANNOTATIONS.serviceAccount] &&
    (wanted.ownerReferences ?? []).every(({ uid }) => owners.has(uid))
  );
}
