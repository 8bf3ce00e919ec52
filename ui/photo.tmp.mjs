import { chromium } from "playwright-core";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
const types={".html":"text/html",".js":"text/javascript",".css":"text/css",".woff2":"font/woff2",".woff":"font/woff"};
const s=createServer(async(q,r)=>{try{const p=new URL(q.url,"http://x").pathname;const b=await readFile("dist-fake"+p);r.setHeader("content-type",types[p.match(/\.\w+$/)?.[0]]??"");r.end(b)}catch{r.writeHead(404).end()}});
await new Promise(d=>s.listen(0,"127.0.0.1",d));
const url=`http://127.0.0.1:${s.address().port}`;
const b=await chromium.launch({executablePath:"/usr/bin/chromium",chromiumSandbox:false});
const [,, size, theme, ...shots]=process.argv;
const [w,h]=size.split("x").map(Number);
for(const shot of shots){const [state,lang]=shot.split(":");const p=await b.newPage({viewport:{width:w,height:h},colorScheme:theme});
p.on("pageerror",e=>console.log(shot,e.message));
await p.goto(`${url}/states.html?state=${state}&language=${lang}`);await p.locator("html[data-stands]").waitFor();await p.evaluate("document.fonts.ready");await p.waitForTimeout(150);
await p.screenshot({path:`/tmp/wp/${state}-${lang}-${theme}-${w}.png`});await p.close();}
await b.close();s.close();
