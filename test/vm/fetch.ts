/** Fills the cache of the vm lane: `node test/vm/fetch.ts`. Run under the cache's lock (see images.ts). */
import { fetchImages } from './images.ts';

await fetchImages();
