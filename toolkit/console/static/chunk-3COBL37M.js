import{E as n}from"./chunk-HZSW7ZNI.js";var i=3,m=4;function s(e){let[t,r]=n==="el"?[e.name_gr,e.name_en]:[e.name_en,e.name_gr];return t||r||e.id}export{i as a,m as b,s as c};
