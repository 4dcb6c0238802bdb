/** ASN.1 values of a PKCS#12 file, and their DER, which node-forge writes. */
import forge from "node-forge";

const { Class, Type } = forge.asn1;

export type DerTree = forge.asn1.Asn1;

/** node-forge represents bytes as strings of one character each. */
const binary = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

const primitive = (type: forge.asn1.Type, value: string): DerTree => forge.asn1.create(Class.UNIVERSAL, type, false, value);

export const toDer = (value: DerTree): Buffer => Buffer.from(forge.asn1.toDer(value).getBytes(), "latin1");

export const sequenceOf = (...values: readonly DerTree[]): DerTree => forge.asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...values]);

/** DER orders the members of a set by their encodings (X.690, section 11.6). */
export function setOf(...members: readonly DerTree[]): DerTree {
  const ordered = members.map((member) => ({ member, der: toDer(member) })).sort((one, other) => Buffer.compare(one.der, other.der));
  return forge.asn1.create(
    Class.UNIVERSAL,
    Type.SET,
    true,
    ordered.map(({ member }) => member),
  );
}

export const octetString = (content: Uint8Array): DerTree => primitive(Type.OCTETSTRING, binary(content));

export const objectId = (dotted: string): DerTree => primitive(Type.OID, forge.asn1.oidToDer(dotted).getBytes());

/** The value must be below 2^31. */
export const integer = (value: number): DerTree => primitive(Type.INTEGER, forge.asn1.integerToDer(value).getBytes());

/** This is the only type for which node-forge encodes the text itself. */
export const bmpString = (text: string): DerTree => primitive(Type.BMPSTRING, text);

/** The number in `[0]`. node-forge gives it the type of universal tags. */
const ZERO = Type.NONE;

/** `[0] EXPLICIT` */
export const explicit = (value: DerTree): DerTree => forge.asn1.create(Class.CONTEXT_SPECIFIC, ZERO, true, [value]);

/** `[0] IMPLICIT OCTET STRING` */
export const implicitOctets = (content: Uint8Array): DerTree => forge.asn1.create(Class.CONTEXT_SPECIFIC, ZERO, false, binary(content));

/** Returns an AlgorithmIdentifier. NULL means no parameters. */
export function algorithm(oid: string, parameters: DerTree = primitive(Type.NULL, "")): DerTree {
  return sequenceOf(objectId(oid), parameters);
}
