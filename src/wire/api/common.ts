/**
 * Parts shared by the REST bodies. The schemas validate and serialise on the daemon's side; the CLI
 * imports the types only.
 */
import Type, { type Static } from 'typebox';

/** A counter: a JSON number up to 2^53-1, above that a string of decimal digits, so nothing is rounded. */
export const Count = Type.Union([Type.Integer({ minimum: 0 }), Type.String({ pattern: '^[0-9]+$' })], {
  description: 'A JSON number up to 2^53-1, above that a string of decimal digits.',
});
export type Count = Static<typeof Count>;

export const Tally = Type.Object({ packets: Count, bytes: Count });
export type Tally = Static<typeof Tally>;

/** Packets refused for one reason; `text` explains the reason in words. */
export const Drop = Type.Object({
  reason: Type.String(),
  text: Type.String(),
  harmless: Type.Boolean({ description: 'What every container sends and nobody needs answered.' }),
  packets: Count,
  bytes: Count,
});
export type Drop = Static<typeof Drop>;

/** Which part of the bytes the NIC forwarded by itself. */
export const Share = Type.Object({
  hardware: Tally,
  software: Tally,
  hardwareRatio: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
    description: 'Share of the bytes, 0..1; null before the first packet.',
  }),
  reason: Type.String({ description: 'Why the rest is not in hardware; "" if all of it is.' }),
});
export type Share = Static<typeof Share>;

export const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String({ description: 'One of docs/errors.md.' }),
    message: Type.String(),
    hint: Type.String({ description: 'What to do next.' }),
    cause: Type.Optional(Type.String({ description: "The underlying failure's own words." })),
  }),
});
export type ErrorBody = Static<typeof ErrorBody>;
export type ErrorDetail = ErrorBody['error'];

/** A full id or a unique head of one, as Docker's own commands take it. */
export const IdParams = Type.Object({
  id: Type.String({ pattern: '^[0-9A-Za-z_.-]{1,64}$' }),
});
export type IdParams = Static<typeof IdParams>;

export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Literals = <const T extends readonly string[]>(values: T, description?: string) =>
  Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...values],
    ...(description === undefined ? {} : { description }),
  });
