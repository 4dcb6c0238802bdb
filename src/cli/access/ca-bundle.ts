import { X509Certificate } from "node:crypto";

/** When the certificates of a webhook configuration's `caBundle` end, in milliseconds since the epoch. */
export function endsOf(caBundle: string | undefined): readonly number[] {
  const bundle = Buffer.from(caBundle ?? "", "base64").toString("utf8");
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block).validToDate.getTime()];
    } catch {
      // Not a certificate: the API server ignores such a block as well.
      return [];
    }
  });
}

export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
