import{E as n}from"./chunk-HZSW7ZNI.js";function a(e){let[r,m]=n==="el"?[e.name_gr,e.name_en]:[e.name_en,e.name_gr];return r||m||e.id}export{a};
