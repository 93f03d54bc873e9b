/** Fills the cache of the vm lane: `node test/vm/fetch.ts [images|headers]`. Run by images.ts under its lock. */
import { fetchHeaders } from './headers.ts';
import { fetchImages } from './images.ts';

if (process.argv[2] === 'headers') await fetchHeaders();
else await fetchImages();
