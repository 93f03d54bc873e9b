/** Writes firmware-profiles/schema.json from src/profile/schema.ts; a unit test compares the two. */
import { writeFileSync } from 'node:fs';
import { profileSchemaText } from '../src/profile/schema.ts';

writeFileSync(new URL('../firmware-profiles/schema.json', import.meta.url), profileSchemaText());
