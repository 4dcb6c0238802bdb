import { z } from "zod";

import { attributesOf } from "./attributes-wire.ts";
import type { SecretProperties, StoredSecret } from "./secret-collection.ts";

/** JSON as in https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret (bundle) and its neighbours (item). */

const seconds = z.number().int().nonnegative();

const properties = {
  contentType: z.string().max(255).nullish(),
  attributes: z.object({ enabled: z.boolean().nullish(), nbf: seconds.nullish(), exp: seconds.nullish() }).nullish(),
  tags: z.record(z.string(), z.string()).nullish(),
};

export const setBody = z.object({ ...properties, value: z.string() });

export const updateBody = z.object(properties);

export function propertiesOf(body: z.infer<typeof updateBody>): SecretProperties {
  return {
    contentType: body.contentType ?? undefined,
    enabled: body.attributes?.enabled ?? undefined,
    notBefore: body.attributes?.nbf ?? undefined,
    expires: body.attributes?.exp ?? undefined,
    tags: body.tags ?? undefined,
  };
}

/** `idBase` is the vault's URL with a trailing slash. */
export function bundleOf(secret: StoredSecret, idBase: string): object {
  return { value: secret.value, ...versionOf(secret, idBase) };
}

/** A bundle without the value: an update's answer, and an item of a list of versions. */
export function versionOf(secret: StoredSecret, idBase: string): object {
  return { id: `${idBase}secrets/${secret.name}/${secret.version}`, ...rest(secret) };
}

/** An item of a list of secrets carries no version. */
export function itemOf(secret: StoredSecret, idBase: string): object {
  return { id: `${idBase}secrets/${secret.name}`, ...rest(secret) };
}

/** Absent fields are left out, as the service does; JSON drops what is undefined. */
function rest(secret: StoredSecret): object {
  const { contentType, kid, tags } = secret;
  return { contentType, kid, managed: kid === undefined ? undefined : true, attributes: attributesOf(secret), tags };
}
