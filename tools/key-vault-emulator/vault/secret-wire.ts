import { z } from "zod";

import { attributesOf, type WirePlace } from "./attributes-wire.ts";
import type { SecretProperties, StoredSecret } from "./secret-collection.ts";

/** JSON as in https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret (bundle) and related pages (item). */

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

export function bundleOf(secret: StoredSecret, place: WirePlace): object {
  return { value: secret.value, ...bundleWithoutValue(secret, place) };
}

/** The answer to an update, a deletion, and a recovery. */
export function bundleWithoutValue(secret: StoredSecret, place: WirePlace): object {
  return { ...versionItemOf(secret, place), kid: secret.kid };
}

/**
 * Items do not contain the key's URL:
 * https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret-versions/get-secret-versions#secretitem
 */
export function versionItemOf(secret: StoredSecret, place: WirePlace): object {
  return { id: `${place.url}secrets/${secret.name}/${secret.version}`, ...rest(secret, place) };
}

/** An item of a list of secrets, which contains no version. */
export function itemOf(secret: StoredSecret, place: WirePlace): object {
  return { id: `${place.url}secrets/${secret.name}`, ...rest(secret, place) };
}

/** Omits absent fields, like the service, because JSON drops undefined values. */
function rest(secret: StoredSecret, place: WirePlace): object {
  const { contentType, kid, tags } = secret;
  return { contentType, managed: kid === undefined ? undefined : true, attributes: attributesOf(secret, place), tags };
}
